/**
 * How this phone is woken when nobody looks at the app: what the door offers, what was chosen here, and the browser's own
 * subscription, which is looked after each time the app is opened. Formats: docs/formats/push.md.
 */

import { type Bytes, same, unbase64 } from "../door/bytes";
import type { Fields } from "../door/json";
import { Refused } from "../door/refused";
import { T } from "../texts";
import type { Asking } from "./asking";

export type Way = "web" | "ntfy" | "homeassistant" | "none";
export const WAYS: readonly Way[] = ["web", "ntfy", "homeassistant", "none"];
/** Time to lock the phone before a test rings, seconds. */
export const LOCK_S = 10;
const KEY_TRIES = 20;
const KEY_EVERY_MS = 1000;
/** A test that was confirmed longer ago is asked for again: battery savers learn. */
const GOOD_FOR_MS = 90 * 86_400_000;

export interface PocketState {
  readonly web: boolean;
  readonly key: Bytes | null;
  readonly ntfy: { readonly server: string; readonly topic: string } | null;
  /** Whether Home Assistant hears this door ring at all. */
  readonly homeassistant: boolean;
  readonly way: Way | null;
  readonly confirmed: string;
  readonly ended: boolean;
}

export function readPocket(result: Fields): PocketState {
  const way = WAYS.find((one) => one === result["way"]) ?? null;
  const ntfy = result["ntfy"] as { server?: unknown; topic?: unknown } | null | undefined;
  const known = ntfy && typeof ntfy.server === "string" && typeof ntfy.topic === "string";
  return {
    web: result["web"] === true,
    key: unbase64(result["key"]),
    ntfy: known ? { server: ntfy.server as string, topic: ntfy.topic as string } : null,
    homeassistant: result["homeassistant"] !== false, // an older door does not say
    way,
    confirmed: typeof result["confirmed"] === "string" ? result["confirmed"] : "",
    ended: result["ended"] === true,
  };
}

/** `done`: it rang, and somebody said so; `untested`; `quiet`: nobody is to wake it; `open`: nothing was chosen yet. */
export function standing(state: PocketState, now: number): "done" | "untested" | "quiet" | "open" {
  if (!state.way) return "open";
  if (state.way === "none") return "quiet";
  const confirmed = Date.parse(state.confirmed);
  return !state.ended && now - confirmed < GOOD_FOR_MS ? "done" : "untested";
}

/** Why this browser cannot be woken by push, in a word of T.error behind `push_`; empty where it can. */
export function cannot(): "" | "old" | "home" | "blocked" {
  const apple = /iPhone|iPad/.test(navigator.userAgent);
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis)) return apple ? "home" : "old";
  return Notification.permission === "denied" ? "blocked" : "";
}

export class Pocket {
  constructor(
    private readonly door: string,
    private readonly asking: Pick<Asking, "ask">,
  ) {}

  async show(): Promise<PocketState> {
    return readPocket((await this.asking.ask("push", { do: "show" })).result);
  }

  /** Turn a way on at the door, for the whole household: admins only. Raises Refused. */
  async turnOn(push: { web: true } | { ntfy: string }): Promise<void> {
    await this.asking.ask("settings", { set: { push } });
  }

  async choose(way: Exclude<Way, "web">): Promise<PocketState> {
    await this.#unsubscribe();
    return readPocket((await this.asking.ask("push", { do: "choose", way })).result);
  }

  /** Asks for the right to show notifications, subscribes, and tells the door. Raises Refused. */
  async chooseWeb(): Promise<PocketState> {
    const words = cannot();
    if (words) throw new Refused(`push_${words}`);
    if ((await Notification.requestPermission()) !== "granted") throw new Refused("push_blocked");
    return this.#subscribed(await this.#key());
  }

  /**
   * At each opening of the app: a browser may renew or lose its subscription without a word, and the door may have been told
   * that it is gone.
   */
  async lookAfter(state: PocketState): Promise<PocketState> {
    if (state.way !== "web" || !state.key || cannot() || Notification.permission !== "granted") return state;
    return this.#subscribed(state.key);
  }

  /** Ring this phone in a while; the visit that the ring will name. */
  async test(way: Way | null): Promise<string> {
    const { result } = await this.asking.ask("ring_test", { everywhere: way === "homeassistant", after: LOCK_S });
    return String(result["visit"]);
  }

  async confirm(visit: string): Promise<PocketState> {
    return readPocket((await this.asking.ask("push", { do: "confirm", visit })).result);
  }

  /** The door's push key: its postman says it a moment after push was turned on. */
  async #key(): Promise<Bytes> {
    for (let tries = 0; tries < KEY_TRIES; tries++) {
      const { key } = await this.show();
      if (key) return key;
      await new Promise((resume) => setTimeout(resume, KEY_EVERY_MS));
    }
    throw new Refused("push_key");
  }

  async #subscribed(key: Bytes): Promise<PocketState> {
    const { pushManager } = await this.#registration();
    let subscription = await pushManager.getSubscription();
    const before = subscription?.options.applicationServerKey;
    if (subscription && before && !same(new Uint8Array(before), key)) {
      await subscription.unsubscribe(); // the door was set up afresh
      subscription = null;
    }
    subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const { endpoint, keys } = subscription.toJSON();
    const told = { endpoint: endpoint!, p256dh: keys!["p256dh"]!, auth: keys!["auth"]! };
    return readPocket((await this.asking.ask("push", { do: "choose", way: "web", subscription: told })).result);
  }

  async #unsubscribe(): Promise<void> {
    if (!("serviceWorker" in navigator)) return;
    const here = await navigator.serviceWorker.getRegistration(this.#scope());
    if (here?.scope.endsWith(this.#scope())) await (await here.pushManager?.getSubscription())?.unsubscribe();
  }

  /** A registration of its own for each door: a browser gives one subscription a registration, and each door has its key. */
  async #registration(): Promise<ServiceWorkerRegistration> {
    const shelf = await caches.open("texts");
    await shelf.put("notification.json", new Response(JSON.stringify(T.pocket.notification)));
    const here = await navigator.serviceWorker.register("sw.js", { scope: this.#scope() });
    await active(here);
    return here;
  }

  #scope(): string {
    return `push/${this.door}/`;
  }
}

function active(one: ServiceWorkerRegistration): Promise<void> {
  const worker = one.installing ?? one.waiting;
  if (one.active || !worker) return Promise.resolve();
  return new Promise((resolve) => worker.addEventListener("statechange", () => worker.state === "activated" && resolve()));
}
