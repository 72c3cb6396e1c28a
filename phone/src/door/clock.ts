/**
 * The door's uptime, counted by the phone, because nobody's wall clock is trusted.
 *
 * Whatever the door signed with its uptime u and this phone got at its own time t shows that the door's uptime is at
 * least u + (now - t). The reply to a question of ours asked at s also shows that it is at most u + (now - s). Without such
 * a reply only the lower bound is known: then a message is at least so old, and perhaps older.
 */

import { type Bytes, same } from "./bytes";

export class DoorClock {
  #epoch: Bytes | null = null;
  #least = -Infinity; // door's uptime minus our time, at least
  #most = Infinity;

  get epoch(): Bytes | null {
    return this.#epoch;
  }

  /** A new start of the door: nothing is known of its uptime. */
  begin(epoch: Bytes): void {
    if (this.#epoch && same(this.#epoch, epoch)) return;
    this.#epoch = epoch;
    this.#least = -Infinity;
    this.#most = Infinity;
  }

  /** *uptime* was signed in the present epoch and is here at *now*; *asked* is when its question left, if it was one. */
  heard(uptime: number, now: number, asked?: number): void {
    this.#least = Math.max(this.#least, uptime - now);
    if (asked !== undefined) this.#most = Math.min(this.#most, uptime - asked);
  }

  get asked(): boolean {
    return this.#most < Infinity;
  }

  /** How old, at least, what the door said at *uptime* is, in seconds. */
  age(uptime: number, now: number): number {
    return Math.max(0, this.#least + now - uptime);
  }

  /** For `expires`: an uptime that is surely not past, *ahead* seconds from now, or null before the first reply. */
  expiry(ahead: number, now: number): number | null {
    return this.#least > -Infinity ? this.#least + now + ahead : null;
  }
}
