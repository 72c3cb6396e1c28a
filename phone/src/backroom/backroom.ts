/** The way to the back room. */

import type { Identity } from "../door/age";
import type { Bytes } from "../door/bytes";
import { Refused } from "../door/refused";
import { type Backroom, type Looked, type Opened, Work } from "./work";
import type { Done, Task } from "./worker";

/** A thread of its own; where the browser gives none, the work is done here. The key goes over as a key that stays locked. */
export function openBackroom(identity: Identity): Backroom {
  if (typeof Worker === "undefined") return new Work(identity);
  return new FarRoom(identity, new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }));
}

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

class FarRoom implements Backroom {
  readonly #waiting = new Map<number, { resolve: (gave: unknown) => void; reject: (why: Error) => void }>();
  #next = 0;
  #broken = false;

  constructor(
    identity: Identity,
    private readonly worker: Worker,
  ) {
    worker.onmessage = ({ data }: MessageEvent<Done>) => this.#hear(data);
    worker.onerror = (event) => this.#break(event.message);
    void this.#do({ what: "identity", identity }).catch(reportError);
  }

  look(documents: readonly Bytes[], verifyKey: Bytes | null): Promise<Looked[]> {
    return this.#do({ what: "look", documents, verifyKey }) as Promise<Looked[]>;
  }

  clip(sealed: Bytes, sha256: string): Promise<Opened> {
    return this.#do({ what: "clip", sealed, sha256 }) as Promise<Opened>;
  }

  open(sealed: Bytes): Promise<Opened> {
    return this.#do({ what: "open", sealed }) as Promise<Opened>;
  }

  #do(task: Unnumbered<Task>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(new Error("the back room is closed"));
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...task, id });
    });
  }

  #hear({ id, gave, word, failed }: Done): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failed === undefined) waiting?.resolve(gave);
    else waiting?.reject(word === undefined ? new Error(failed) : new Refused(word));
  }

  #break(why: string): void {
    this.#broken = true;
    for (const one of this.#waiting.values()) one.reject(new Error(`the back room is gone: ${why}`));
    this.#waiting.clear();
  }
}
