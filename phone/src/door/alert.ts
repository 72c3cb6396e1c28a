/** The only message an app rings on: sealed to the household, signed by the door, of this epoch, young, each visit once. */

import type { Opener } from "./age";
import { type Bytes, fromUtf8, same, unbase64 } from "./bytes";
import type { DoorClock } from "./clock";
import { isNumber, readObject } from "./json";
import { Refused } from "./refused";
import { SIGNATURE, signed } from "./sign";

export const OLDEST_ALERT_S = 60;
const MOST_REMEMBERED = 64;

export interface Alert {
  /** A test rings like a visitor, and says that it is one. */
  readonly kind: "ring" | "test";
  readonly visit: string;
  readonly uptime: number;
  readonly at: string;
  readonly synced: boolean;
  /** Whether its age is known from a reply of the door; else it is only known not to be older than we can tell. */
  readonly ageKnown: boolean;
}

export class Bell {
  readonly #rung: string[];

  /** *rung*: the visits for which this phone rang before the page was loaded, oldest first. */
  constructor(rung: readonly string[] = []) {
    this.#rung = [...rung];
  }

  get rung(): readonly string[] {
    return [...this.#rung];
  }

  /** The alert, when the phone must ring for it. Raises Refused with why it must not. *now* in seconds, monotonic. */
  async hear(payload: Uint8Array, door: string, opener: Opener, verifyKey: Bytes, clock: DoorClock, now: number): Promise<Alert> {
    const plain = await opener.openWhole(payload);
    const text = plain.slice(SIGNATURE);
    if (!(await signed("alert", text, plain.slice(0, SIGNATURE), verifyKey))) throw new Refused("signature");
    const fields = readObject(fromUtf8(text) ?? "");
    const epoch = unbase64(fields?.["epoch"]);
    const { kind, visit, uptime, at } = fields ?? {};
    if (fields?.["v"] !== 1 || (kind !== "ring" && kind !== "test") || typeof visit !== "string" || !isNumber(uptime) || !epoch)
      throw new Refused("damaged");
    if (fields["door"] !== door) throw new Refused("door");
    if (!clock.epoch || !same(epoch, clock.epoch)) throw new Refused("epoch");
    clock.heard(uptime, now);
    if (clock.age(uptime, now) > OLDEST_ALERT_S) throw new Refused("old");
    if (this.#rung.includes(visit)) throw new Refused("again");
    this.#rung.push(visit);
    if (this.#rung.length > MOST_REMEMBERED) this.#rung.shift();
    return { kind, visit, uptime, at: typeof at === "string" ? at : "", synced: fields["clock"] === "synced", ageKnown: clock.asked };
  }
}
