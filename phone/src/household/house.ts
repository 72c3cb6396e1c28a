/** All doors of this phone, and its keys. */

import { hex } from "../door/bytes";
import { openBackroom } from "../backroom/backroom";
import type { Backroom } from "../backroom/work";
import { memberId } from "../door/identity";
import { Refused } from "../door/refused";
import { Cupboard, under } from "../keep/cupboard";
import { type KeptKeys, type Keys, newPhoneKeys, useKeys } from "../keep/keys";
import { takePlace } from "../keep/place";
import { sourceOf } from "../link/address";
import { allowBroker, brokers, forgetBrokers } from "../policy";
import { Door } from "./door";
import type { Joining } from "./joining";
import { type DoorRecord, NOBODY } from "./record";

const KEYS = "mine";
const PLACE_WITHIN_MS = 400; // a window that is just closing, or this one before it was loaded anew, has the place a moment longer

export interface NewDoor {
  readonly door: string;
  readonly name: string;
  readonly broker: string;
  readonly login: string;
  readonly password: string;
  readonly owner?: DoorRecord["owner"];
}

export class House {
  readonly doors: Door[] = [];
  keys: Keys | null = null;
  /** Another window of this phone follows the doors; this one has none of them meanwhile. */
  elsewhere = true;
  #waiting = new AbortController();
  #connected = false;
  #inside = false;
  #backroom: Backroom | null = null;
  #listeners = new Set<() => void>();
  #told = false;

  private constructor(private readonly cupboard: Cupboard) {}

  static async open(): Promise<House> {
    const house = new House(await Cupboard.open());
    let late: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([house.#wait(), new Promise((resume) => (late = setTimeout(resume, PLACE_WITHIN_MS)))]);
    clearTimeout(late);
    return house;
  }

  /** A person wants to go on in this window: the other one gives the place up. */
  async useHere(): Promise<void> {
    if (!this.elsewhere || this.#waiting.signal.aborted) return;
    this.#waiting.abort();
    await takePlace({ steal: true }, () => this.#leave());
    await this.#moveIn();
  }

  async #wait(): Promise<void> {
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    await takePlace({ signal }, () => signal.aborted || this.#leave());
    await this.#moveIn();
  }

  /** What the window before left on the shelves. */
  async #moveIn(): Promise<void> {
    if (this.#inside) return; // the place came free just when a person asked for it
    this.#inside = true;
    const kept = await this.cupboard.get<KeptKeys>("keys", KEYS);
    if (kept) {
      this.keys = await useKeys(kept);
      this.#backroom ??= openBackroom(this.keys.identity);
      for (const record of await this.cupboard.all<DoorRecord>("doors")) this.#follow(record);
    }
    this.elsewhere = false;
    if (this.#connected) this.start();
    this.#changed();
  }

  #leave(): void {
    this.elsewhere = true;
    this.#inside = false;
    for (const door of this.doors.splice(0)) door.close();
    this.#changed();
    void this.#wait();
  }

  /** Connect. A broker that the page may not speak to yet (it was added elsewhere) is allowed, and the page loaded anew. */
  start(): void {
    this.#connected = true;
    const foreign = this.doors.map(({ view }) => view.record.broker).filter((url) => !allows(url));
    foreign.forEach(allowBroker);
    if (foreign.some(allows)) return location.reload(); // else it would be the same again, for ever
    for (const door of this.doors) void door.start();
  }

  /**
   * The first facts of a door; the page is loaded anew, so that its policy lets the broker through. Raises Refused for a
   * door that this phone has: what it knows of it (the key, the last entry seen) is what a false one would like to replace.
   */
  async add(door: NewDoor, joining: Joining): Promise<void> {
    if (await this.cupboard.get<DoorRecord>("doors", door.door)) throw new Refused("known", door.door);
    const { signer } = await this.ready();
    const clientId = `doorbell-${memberId(signer.verifyKey).slice(0, 12)}-${hex(crypto.getRandomValues(new Uint8Array(4)))}`;
    const record: DoorRecord = { ...door, ...NOBODY, clientId, known: "first", joining };
    await this.cupboard.put("doors", [[record.door, record]]);
    // A login that was added again has a new password, for whatever it was good for before.
    const { host } = new URL(door.broker);
    const same = this.doors.filter(({ view: { record: one } }) => one.login === door.login && new URL(one.broker).host === host);
    if (door.password) for (const one of same) await one.relogin(door.password);
    allowBroker(record.broker);
    await navigator.storage?.persist?.();
  }

  /** This phone's keys, made now where it has none. Raises Refused where the page may hold no key. */
  async ready(): Promise<Keys> {
    if (!this.keys) {
      const kept = await newPhoneKeys();
      await this.cupboard.put("keys", [[KEYS, kept]]);
      this.keys = await useKeys(kept);
    }
    return this.keys;
  }

  /** Nothing of the door stays on this phone; with the last door the keys go too. */
  async forget(door: Door): Promise<void> {
    const { record } = door.view;
    door.close();
    this.doors.splice(this.doors.indexOf(door), 1);
    await this.cupboard.remove("doors", record.door);
    await this.cupboard.remove("entries", under(record.door));
    await this.cupboard.remove("posters", under(record.door));
    if (this.doors.length === 0) await this.cupboard.remove("keys", KEYS);
    forgetBrokers(this.doors.map(({ view }) => view.record.broker));
  }

  hurry(): void {
    for (const door of this.doors) door.hurry();
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #follow(record: DoorRecord): void {
    this.doors.push(new Door(record, this.keys!, this.cupboard, this.#backroom!, () => this.#changed()));
  }

  /** However much comes at once, screens look once. A ring must not wait for a frame that a hidden page never paints. */
  #changed(): void {
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

function allows(broker: string): boolean {
  return brokers().includes(sourceOf(broker) ?? "");
}
