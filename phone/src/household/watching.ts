/**
 * Watching live: a session is asked for, renewed while somebody looks, and asked for anew when the door ended it. Nothing is
 * queued: what was not answered has failed, and is tried again only as long as somebody waits for it.
 */

import { hex, unbase64 } from "../door/bytes";
import { type Fragment, LiveReceiver } from "../door/live";
import { Refused } from "../door/refused";
import { now } from "./asking";
import type { Door } from "./door";

const RENEW_EVERY_MS = 25_000; // a session ends 60 s after its last renewal: two answers may be lost
const AGAIN_AFTER_MS = [1000, 2000, 4000, 8000];
const STALLED_S = 4;

export type WatchState = "asking" | "waits" | "moves" | "stalled" | "failed" | "ended";

/** What a viewer is told. *why* is the word of a refusal. */
export interface Watched {
  readonly state: WatchState;
  readonly why: string;
}

export class Watching {
  #receiver: LiveReceiver | null = null;
  #session: { bytes: string; topic: string } | null = null;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #heard = 0;
  #tries = 0;
  #closed = false;
  #rest: () => void = () => undefined;
  #told: WatchState | null = null;

  constructor(
    private readonly door: Door,
    private readonly show: (fragment: Fragment) => void,
    private readonly tell: (watched: Watched) => void,
  ) {}

  start(): void {
    this.door.onLive = (topic, payload) => this.#hear(topic, payload);
    this.#rest = this.door.haste();
    this.#timers.push(setInterval(() => this.#look(), 1000));
    this.#timers.push(setInterval(() => void this.#renew(), RENEW_EVERY_MS));
    void this.#begin();
  }

  /** Nobody looks any more: the door is told, so that its light goes out and its journal says for how long. */
  close(): void {
    this.#closed = true;
    this.#timers.forEach(clearTimeout);
    this.#rest();
    this.door.onLive = null;
    const session = this.#session;
    this.#session = this.#receiver = null;
    if (session) this.door.asking.ask("live", { do: "stop", session: session.bytes }).catch(ignore); // else it ends by itself
  }

  async #begin(): Promise<void> {
    this.#session = this.#receiver = null;
    this.#tell("asking");
    try {
      const { result } = await this.door.asking.ask("live", { do: "start" });
      const [session, secret] = [unbase64(result["session"]), unbase64(result["secret"])];
      if (session?.length !== 16 || secret?.length !== 32) throw new Refused("damaged");
      const bytes = String(result["session"]);
      if (this.#closed) return void this.door.asking.ask("live", { do: "stop", session: bytes }).catch(ignore);
      this.#receiver = new LiveReceiver(secret, session);
      this.#session = { bytes, topic: hex(session) };
      this.#heard = now();
      this.#tell("waits");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#fail(error.word);
    }
  }

  async #renew(): Promise<void> {
    const session = this.#session;
    if (!session || this.#closed) return;
    try {
      await this.door.asking.ask("live", { do: "renew", session: session.bytes });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.word === "gone" && this.#session === session) void this.#begin();
    }
  }

  #hear(topic: string, payload: Uint8Array): void {
    if (topic.split("/")[2] !== this.#session?.topic) return;
    const fragment = this.#receiver!.take(payload);
    if (!fragment) return;
    if (fragment.kind === "end") return this.#fail("ended");
    this.#heard = now();
    if (fragment.kind === "video") {
      this.#tries = 0;
      this.#tell("moves");
    }
    this.show(fragment);
  }

  /** Once a second: a picture that stands still must not look like a quiet street. */
  #look(): void {
    if (this.#session && now() - this.#heard > STALLED_S) this.#tell("stalled");
  }

  #fail(why: string): void {
    if (this.#closed) return;
    this.#session = this.#receiver = null;
    const again = ["offline", "silence", "ended", "gone", "busy", "camera", "epoch", "expired"].includes(why);
    this.#tell(why === "ended" ? "ended" : "failed", why);
    if (again) this.#timers.push(setTimeout(() => this.#closed || void this.#begin(), AGAIN_AFTER_MS[Math.min(this.#tries++, 3)]));
  }

  #tell(state: WatchState, why = ""): void {
    if (this.#closed || (state === this.#told && !why)) return;
    this.#told = state;
    this.tell({ state, why });
  }
}

function ignore(error: unknown): void {
  if (!(error instanceof Refused)) reportError(error);
}
