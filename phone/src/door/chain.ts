/**
 * What a phone makes of entries as they arrive, in whatever order the broker delivers them.
 *
 * The first entry that a phone gets is its anchor: history begins there for it. From the anchor on the chain must hold
 * without a gap. An entry that comes too early waits until those between have come; meanwhile it is missing, not wrong.
 */

import { type Bytes, same } from "./bytes";
import { type Entry, type Fault, type Head, isSigned, joins } from "./journal";

const MOST_WAITING = 2000;

export type Taken = { readonly entries: readonly Entry[] } | { readonly fault: Fault } | "known" | "waits" | "forged";

export class Chain {
  readonly #waiting = new Map<number, Entry>();
  #head: Head | null;
  readonly #known: Map<number, Uint8Array>;

  /** *head* and the hashes by index are what this phone verified before. */
  constructor(
    readonly verifyKey: Bytes,
    head: Head | null = null,
    known: Iterable<readonly [number, Uint8Array]> = [],
  ) {
    this.#head = head;
    this.#known = new Map(known);
  }

  /** The last entry up to which everything is verified. */
  get head(): Head | null {
    return this.#head;
  }

  /** How many entries are known to exist but have not come, between the head and those that wait. */
  get missing(): number {
    const last = Math.max(0, ...this.#waiting.keys());
    return this.#head && last > this.#head.index ? last - this.#head.index - this.#waiting.size : 0;
  }

  /**
   * The entries that are verified now, oldest first; or why there are none. A forged one changes nothing. *signed*: whether the
   * door signed it, where somebody has looked already.
   */
  async take(entry: Entry, signed?: boolean): Promise<Taken> {
    const seen = this.#known.get(entry.index);
    if (seen && same(seen, entry.hash)) return "known";
    if (!(signed ?? (await isSigned(entry, this.verifyKey)))) return "forged";
    if (seen) return { fault: { index: entry.index, word: "rewritten" } };
    if (this.#head && entry.index <= this.#head.index) return "known"; // from before this phone's anchor
    if (this.#head && entry.index > this.#head.index + 1) {
      if (this.#waiting.size < MOST_WAITING) this.#waiting.set(entry.index, entry);
      return "waits";
    }
    return this.#extend(entry);
  }

  #extend(first: Entry): Taken {
    const entries: Entry[] = [];
    for (let entry: Entry | undefined = first; entry; entry = this.#waiting.get(this.#head!.index + 1)) {
      const fault = this.#head && joins(entry, this.#head); // each was found signed before it was let wait
      if (fault) {
        this.#waiting.delete(entry.index);
        return entries.length > 0 ? { entries } : { fault };
      }
      this.#waiting.delete(entry.index);
      this.#head = { index: entry.index, hash: entry.hash };
      this.#known.set(entry.index, entry.hash);
      entries.push(entry);
    }
    return { entries };
  }

  /** What the head inside a reply to a question of ours shows. */
  compare(told: Head): Fault | null {
    if (this.#head && told.index < this.#head.index) return { index: told.index, word: "behind" };
    const seen = this.#known.get(told.index);
    return seen && !same(seen, told.hash) ? { index: told.index, word: "rewritten" } : null;
  }
}
