/**
 * A clip on its way from the card to the screen: asked for in windows of chunks, opened as it comes, resumed where it stopped.
 *
 * The hash over the sealed bytes must be the one that the door's journal names, because anybody can seal to this phone.
 * It is known only at the end, so the caller shows nothing as genuine before `done`.
 */

import { type Bytes, hex, join, same } from "../door/bytes";
import { Refused } from "../door/refused";
import type { Opened } from "../backroom/work";
import { freshId } from "./asking";
import type { Door } from "./door";
import type { ClipFact } from "./story";

const WINDOW = 8;
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
  let chunks = Number.POSITIVE_INFINITY;
  let wake: ((error?: Error) => void) | null = null;
  let id = freshId();
  const ids = new Set([hex(id)]); // a piece is the same, whichever of our requests brought it
  let resumed = 0;
  const take = (): boolean => {
    const next = inbox.get(sealed.length);
    if (next) {
      inbox.delete(sealed.length);
      sealed.push(next);
      tell({ done: sealed.length / chunks, resumed });
    }
    return next !== undefined;
  };
  const drain = async (): Promise<void> => {
    while (sealed.length < chunks) {
      if (take()) continue;
      try {
        await arrival((how) => (wake = how), stop, QUIET_MS);
      } catch (error) {
        if (error instanceof Refused && error.word === "late") return;
        throw error;
      }
    }
  };
  door.onChunk = (topic, payload) => {
    const [kind, , which, number] = topic.split("/");
    const index = Number(number);
    if (kind !== "clip" || !ids.has(which ?? "") || !Number.isSafeInteger(index) || index < sealed.length) return;
    if (index >= sealed.length + WINDOW || payload.length > 98_304) return;
    inbox.set(index, payload);
    wake?.();
  };
  door.asking.onLate = (about, word) => {
    if (same(about, id)) wake?.(new Refused(word, `The door stopped: ${word}.`));
  };
  const rest = door.haste();
  door.asking.onLost = () => wake?.(new Refused("offline", "The connection broke."));
  try {
    let failures = 0;
    let broken = false;
    while (sealed.length < chunks) {
      if (stop.aborted) throw new Refused("stopped", "Stopped.");
      try {
        if (broken) {
          await door.back(stop);
          await drain(); // the broker kept what was under way
          broken = false;
          continue;
        }
        ids.add(hex((id = freshId()))); // chunks carry it, and may come before the answer does
        const { result } = await door.asking.ask("clip", { clip: clip.id, from: sealed.length, window: WINDOW }, { id });
        chunks = Number(result["chunks"]);
        if (!Number.isSafeInteger(chunks) || chunks < 0) throw new Refused("damaged", "The door’s answer is damaged.");
        const until = Math.min(chunks, sealed.length + WINDOW);
        while (sealed.length < until) {
          if (!take()) await arrival((how) => (wake = how), stop, CHUNK_WITHIN_MS);
        }
        failures = 0;
      } catch (error) {
        if (!(error instanceof Refused) || !["offline", "silence", "late"].includes(error.word) || ++failures > TRIES) throw error;
        tell({ done: sealed.length / chunks || 0, resumed: ++resumed });
        broken = error.word === "offline";
        if (!broken) await new Promise((again) => setTimeout(again, 1000 * failures));
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

function arrival(listen: (wake: (error?: Error) => void) => void, stop: AbortSignal, within: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Refused("late", "The transfer stopped.")), within);
    stop.addEventListener("abort", () => reject(new Refused("stopped", "Stopped.")), { once: true });
    listen((error) => {
      clearTimeout(late);
      if (error) reject(error);
      else resolve();
    });
  });
}
