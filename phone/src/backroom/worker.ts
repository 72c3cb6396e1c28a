/** The back room's own thread: it gets a key and bytes, gives bytes back, and can speak to nobody else. */

import type { Identity } from "../door/age";
import type { Bytes } from "../door/bytes";
import { Refused } from "../door/refused";
import { type Backroom, Work } from "./work";

export type Task =
  | { readonly id: number; readonly what: "identity"; readonly identity: Identity }
  | { readonly id: number; readonly what: "look"; readonly documents: readonly Bytes[]; readonly verifyKey: Bytes | null }
  | { readonly id: number; readonly what: "clip"; readonly sealed: Bytes; readonly sha256: string }
  | { readonly id: number; readonly what: "open"; readonly sealed: Bytes };

export type Done = { readonly id: number; readonly gave?: unknown; readonly word?: string; readonly failed?: string };

// The page's security policy does not reach into a worker: what could make a request is taken away before anything else.
const room = self as unknown as Record<string, unknown>;
for (const name of ["fetch", "XMLHttpRequest", "WebSocket", "WebSocketStream", "EventSource", "WebTransport", "Worker", "importScripts", "indexedDB", "caches"])
  Object.defineProperty(room, name, { value: undefined, configurable: false, writable: false });

let work: Backroom | null = null;

async function carryOut(task: Task): Promise<unknown> {
  if (task.what === "identity") return void (work = new Work(task.identity));
  if (!work) throw new Error("the back room has no key yet");
  if (task.what === "look") return work.look(task.documents, task.verifyKey);
  if (task.what === "clip") return work.clip(task.sealed, task.sha256);
  return work.open(task.sealed);
}

self.onmessage = async ({ data }: MessageEvent<Task>): Promise<void> => {
  let done: Done;
  try {
    done = { id: data.id, gave: await carryOut(data) };
  } catch (error) {
    done = error instanceof Refused ? { id: data.id, word: error.word, failed: error.message } : { id: data.id, failed: String(error) };
  }
  const plain = (done.gave as { plain?: Bytes } | undefined)?.plain;
  self.postMessage(done, plain ? { transfer: [plain.buffer] } : {});
};
