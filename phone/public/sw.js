/*
 * Keeps the app itself for when there is no network; nothing else. It asks only where it came from, and holds no key and no
 * picture. The names of built files hold their hashes, so a kept one is never stale; the page is asked for first.
 */
const SHELF = "app-1";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELF).then((shelf) => shelf.addAll(["./", "manifest.webmanifest", "icon.svg"])));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
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
