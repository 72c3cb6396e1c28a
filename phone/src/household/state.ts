/** What this phone knows of one door: what the screen shows of it, and in that the record, which lies on the shelf. */

import type { Cupboard } from "../keep/cupboard";
import type { DoorRecord, DoorView, Trouble } from "./record";

const MOST_TROUBLES = 10;

export class DoorState {
  /** Another window writes the record now, or it was forgotten. */
  closed = false;
  #view: DoorView;

  constructor(
    record: DoorRecord,
    private readonly cupboard: Cupboard,
    private readonly changed: () => void,
  ) {
    this.#view = {
      record, link: "offline", door: "unknown", recording: null, health: null, heardAt: 0, watching: [], ringing: null, visits: [],
      joinedLater: false, withdrawn: 0,
      entries: 0, missing: 0, verifiedTo: record.head?.index ?? 0, forged: 0, answers: false, role: null, removed: false,
    };
  }

  get view(): DoorView {
    return this.#view;
  }

  get record(): DoorRecord {
    return this.#view.record;
  }

  show(change: Partial<DoorView>): void {
    this.#view = { ...this.#view, ...change };
    this.changed();
  }

  /** Shown at once; when it is on the shelf, this ends. */
  async keep(change: Partial<DoorRecord>): Promise<void> {
    const record = { ...this.record, ...change };
    this.show({ record });
    if (this.closed) return;
    await this.cupboard.put("doors", [[record.door, record]]);
  }

  /** A red banner, once for each place in the journal. */
  async trouble(what: Trouble["what"], index: number): Promise<void> {
    const { faults } = this.record;
    if (faults.some((one) => one.what === what && one.index === index)) return;
    await this.keep({ faults: [...faults, { what, index, seen: Date.now() }].slice(-MOST_TROUBLES) });
  }
}
