/*
 * Keeps the app itself for when there is no network, and shows that the door rings. It asks only where it came from, holds no key and no
 * picture. The names of built files hold their hashes, so a kept one is never stale; the page is asked for first. Each build (BUILD, with
 * its FILES) has a shelf of its own, full before it is used.
 */
import { unbase64 } from "./door/bytes";
import { signed } from "./door/sign";

const SHELF = `app-${BUILD}`;
const WHOLE = ["./", "manifest.webmanifest", "icon.svg", ...FILES];

self.addEventListener("install", (event) => {
  event.waitUntil(fill());
  self.skipWaiting();
});

/** Also for the registrations that each door has for its pushes: they share the shelf. */
async function fill() {
  const shelf = await caches.open(SHELF);
  for (const file of WHOLE) if (!(await shelf.match(file))) await shelf.add(file);
}

/** Earlier builds go when the page is loaded anew: until then it may still ask for a file of its own build. */
async function prune() {
  if (self.registration.installing || self.registration.waiting) return; // that one's shelf is no earlier one
  for (const name of await caches.keys()) if (name.startsWith("app-") && name !== SHELF) await caches.delete(name);
}

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.mode === "navigate") event.waitUntil(prune());
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  event.respondWith(url.pathname.includes("/assets/") ? kept(event.request) : fresh(event.request));
});

async function kept(request) {
  const shelf = await caches.open(SHELF);
  const here = await shelf.match(request);
  if (here) return here;
  const answer = await fetch(request);
  if (answer.ok) await shelf.put(request, answer.clone());
  return answer;
}

async function fresh(request) {
  const shelf = await caches.open(SHELF);
  try {
    const answer = await fetch(request);
    if (answer.ok) await shelf.put(request, answer.clone());
    return answer;
  } catch (error) {
    const here = (await shelf.match(request)) ?? (request.mode === "navigate" && (await shelf.match("./")));
    if (here) return here;
    throw error;
  }
}

/*
 * A push letter: what the door says to a phone whose app is asleep (docs/formats/push.md). A notification is always shown, since
 * browsers take the right to push from who shows none; but it names the door only where the door's signature is right.
 */
const PLAIN = {
  ring: "Somebody is at the door",
  ringAt: "{door}: somebody rings",
  late: "{door}: somebody rang at {time}",
  test: "{door}: test ring",
  testBody: "Open this to say that it rang.",
  unknown: "A notification that is not your door’s",
  unknownBody: "It is not signed by it. Open the app to see how your door is.",
};
const OLDEST_MS = 60_000;
const ICON = new URL("icon-192.png", self.location).href;

self.addEventListener("push", (event) => event.waitUntil(woken(event.data)));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data?.page ?? "#/"));
});

async function woken(data) {
  const [words, letter] = [await texts(), await opened(data)];
  if (!letter) {
    const options = { body: words.unknownBody, tag: "unknown", silent: true, icon: ICON, data: { page: "#/privacy" } };
    return self.registration.showNotification(words.unknown, options);
  }
  const { door, alert } = letter;
  const filled = (text) => text.replace("{door}", door.name).replace("{time}", new Date(alert.at).toLocaleTimeString([], { timeStyle: "short" }));
  if (alert.kind === "check") {
    await self.registration.showNotification(door.name, { tag: "check", silent: true });
    for (const one of await self.registration.getNotifications({ tag: "check" })) one.close();
    return;
  }
  const test = alert.kind === "test";
  const late = alert.clock === "synced" && Date.now() - Date.parse(alert.at) > OLDEST_MS;
  const looking = (await self.clients.matchAll({ type: "window", includeUncontrolled: true })).some((one) => one.visibilityState === "visible");
  const page = test ? `#/pocket/${door.door}/${alert.visit}` : `#/visit/${door.door}/${alert.visit}`;
  await self.registration.showNotification(filled(test ? words.test : late ? words.late : words.ringAt), {
    body: test ? words.testBody : "",
    tag: `visit-${alert.visit}`,
    icon: ICON,
    timestamp: Date.parse(alert.at) || Date.now(),
    requireInteraction: !late,
    silent: looking || door.silentUntil > Date.now(),
    data: { page },
  });
}

/** The alert in *data*, and its door as this phone keeps it; null for what the door did not sign. */
async function opened(data) {
  try {
    const { json, sig } = data.json();
    const alert = JSON.parse(json);
    const door = await keptDoor(alert.door);
    if (!door?.verifyKey || alert.v !== 1 || !["ring", "test", "check"].includes(alert.kind) || !/^[a-z2-7]{26}$/.test(alert.visit)) return null;
    return (await signed("alert", new TextEncoder().encode(json), unbase64(sig), door.verifyKey)) ? { alert, door } : null;
  } catch {
    return null;
  }
}

/** What the app keeps of a door. The base is never made here: the app makes it, with its shelves. */
function keptDoor(name) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("doorbell");
    opening.onupgradeneeded = () => opening.transaction.abort();
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const asked = opening.result.transaction("doors").objectStore("doors").get(String(name));
      asked.onsuccess = () => (opening.result.close(), resolve(asked.result));
      asked.onerror = () => reject(asked.error);
    };
  });
}

/** The app's own words, which it has put there; else these. */
async function texts() {
  const here = await caches.match("notification.json");
  return here ? { ...PLAIN, ...(await here.json()) } : PLAIN;
}

async function show(page) {
  const url = new URL(page, new URL("./", self.location)).href;
  const [open] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!open) return self.clients.openWindow(url);
  await open.focus();
  open.postMessage({ page });
}
