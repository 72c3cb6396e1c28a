/**
 * A clip on its way from the card to the screen: asked for in windows of chunks, opened as it comes, resumed where it stopped.
 *
 * The hash over the sealed bytes must be the one that the door's journal names, because anybody can seal to this phone.
 * It is known only at the end, so the caller shows nothing as genuine before `done`.
 */

import { type Bytes, hex, join } from "../door/bytes";
import type { Fields } from "../door/json";
import { Refused } from "../door/refused";
import type { Opened } from "../backroom/work";
import { freshId } from "./asking";
import type { Door } from "./door";
import type { ClipFact } from "./story";

const WINDOW = 8; // chunks that the first command grants; each later one grants as many as those before it together
const MOST = 32; // 3 MB: what still comes of a clip that nobody wants any more
const AHEAD = 4; // chunks still to come when the next window is asked for, so that the door need not wait for the question
const CHUNK_WITHIN_MS = 10_000;
const QUIET_MS = 3000;
const TRIES = 5;

export interface Progress {
  /** Of the sealed bytes, 0 to 1. */
  readonly done: number;
  readonly resumed: number;
}

/** Raises Refused: the door's word, or `forged` when the bytes are not those of the journal. */
export async function fetchClip(door: Door, clip: ClipFact, tell: (progress: Progress) => void, stop: AbortSignal): Promise<Opened> {
  const sealed: Bytes[] = [];
  const inbox = new Map<number, Bytes>();
  const ids = new Set<string>(); // of all our commands: a piece is the same, whichever of them brought it
  const asked = new Set<string>(); // those whose answer, or failure, still counts
  let granted = 0; // the first chunk that was not asked for since the link last failed
  let began = 0; // the first that was: what is asked for grows as the link proves itself
  let reach = 0; // the first chunk that was never asked for
  let chunks = Number.POSITIVE_INFINITY;
  let failed: Error | null = null;
  let wake = (): void => undefined;
  let resumed = 0;
  const fail = (error: Error): void => {
    failed ??= error;
    wake();
  };
  const take = (): boolean => {
    const next = chunks === Number.POSITIVE_INFINITY ? undefined : inbox.get(sealed.length);
    if (next) {
      inbox.delete(sealed.length);
      sealed.push(next);
      tell({ done: sealed.length / chunks, resumed });
    }
    return next !== undefined;
  };
  const drain = async (): Promise<void> => {
    while (sealed.length < Math.min(chunks, granted)) {
      if (take()) continue;
      try {
        await arrival((how) => (wake = how), stop, QUIET_MS);
      } catch (error) {
        if (error instanceof Refused && error.word === "late") return;
        throw error;
      }
    }
  };
  const grant = (): void => {
    const id = freshId();
    const [name, from] = [hex(id), granted];
    const window = Math.min(Math.max(granted - began, WINDOW), MOST);
    ids.add(name); // chunks carry it, and may come before the answer does
    asked.add(name);
    granted += window;
    reach = Math.max(reach, granted);
    const answered = ({ result }: { result: Fields }): void => {
      if (!asked.has(name)) return;
      chunks = Number(result["chunks"]);
      if (!Number.isSafeInteger(chunks) || chunks < 0) fail(new Refused("damaged"));
      wake();
    };
    door.asking.ask("clip", { clip: clip.id, from, window }, { id }).then(answered, (error: Error) => asked.has(name) && fail(error));
  };
  door.onChunk = (topic, payload) => {
    const [kind, , which = "", number] = topic.split("/");
    const index = Number(number);
    if (kind !== "clip" || !ids.has(which) || !Number.isSafeInteger(index) || index < sealed.length) return;
    if (index >= reach || payload.length > 98_304) return;
    inbox.set(index, payload);
    wake();
  };
  door.asking.onLate = (about, word) => {
    if (asked.has(hex(about))) fail(new Refused(word));
  };
  const rest = door.haste();
  door.asking.onLost = () => fail(new Refused("offline"));
  try {
    let failures = 0;
    let broken = false;
    while (sealed.length < chunks) {
      if (stop.aborted) throw new Refused("stopped");
      try {
        if (broken) {
          await door.back(stop);
          await drain(); // the broker kept what was under way
          [broken, granted, began] = [false, sealed.length, sealed.length];
          continue;
        }
        if (failed) throw failed;
        if (granted < chunks && granted - sealed.length <= AHEAD) grant();
        if (take()) failures = 0;
        else await arrival((how) => (wake = how), stop, CHUNK_WITHIN_MS);
      } catch (error) {
        asked.clear();
        failed = null;
        if (!(error instanceof Refused) || !["offline", "silence", "late", "busy"].includes(error.word) || ++failures > TRIES) throw error;
        tell({ done: sealed.length / chunks || 0, resumed: ++resumed });
        broken = error.word === "offline";
        if (broken) continue;
        granted = began = sealed.length;
        await new Promise((again) => setTimeout(again, 1000 * failures));
      }
    }
  } finally {
    door.onChunk = null;
    door.asking.onLate = null;
    door.asking.onLost = null;
    rest();
  }
  return door.backroom.clip(join(...sealed), clip.sha256);
}

function arrival(listen: (wake: () => void) => void, stop: AbortSignal, within: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Refused("late")), within);
    const stopped = (): void => {
      clearTimeout(late);
      reject(new Refused("stopped"));
    };
    stop.addEventListener("abort", stopped, { once: true });
    listen(() => {
      clearTimeout(late);
      stop.removeEventListener("abort", stopped);
      resolve();
    });
  });
}
