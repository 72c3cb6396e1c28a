/**
 * The history of one door as this phone has it: entries as they come by the broker and as the door tells them when it is asked,
 * believed as far as the chain holds, and kept. What is missing is asked for; what does not fit is a red banner.
 */

import { type Bytes, base64, hex, same, utf8 } from "../door/bytes";
import { Chain } from "../door/chain";
import type { Reply } from "../door/command";
import { type Body, type Entry, readDocument } from "../door/journal";
import { Refused } from "../door/refused";
import type { Backroom } from "../backroom/work";
import { type Cupboard, under } from "../keep/cupboard";
import type { Asking } from "./asking";
import type { Posters } from "./posters";
import type { DoorState } from "./state";
import { ERA, type Story } from "./story";

const GAP_AFTER_MS = 15_000;
const PAGES_AT_ONCE = 200;
const MOST_EARLY = 256; // more would come again in the door's answer
const TELL_EVERY_MS = 100;
const AT_ONCE = 32; // entries the back room opens before anything else gets its turn

interface KeptEntry {
  readonly index: number;
  readonly hash: Bytes;
  readonly document: Bytes;
}

/** Of the journal that the door keeps now, or of the one so many before. */
type Remembered = KeptEntry & { readonly era: number };

/** What it needs of the connection. */
export interface Wire {
  readonly asking: Asking;
  /** Runs *task* after everything that came before it. */
  queue(task: () => Promise<void>): Promise<void>;
  haste(): () => void;
}

export class History {
  readonly #bodies = new WeakMap<Entry, Body | null>(); // opened already, and waiting for what comes before them
  #early: Bytes[] = [];
  #asked = false; // whether the door gave all the history that it has, of a journal of which this phone had nothing
  #otherJournal = false; // a hello names another journal, and no answer has said yet whether it is so
  #chain: Chain | null = null;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #gapEnds: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly state: DoorState,
    private readonly story: Story,
    private readonly posters: Posters,
    private readonly cupboard: Cupboard,
    private readonly backroom: Backroom,
    private readonly wire: Wire,
  ) {}

  close(): void {
    clearTimeout(this.#gapEnds);
    clearTimeout(this.#telling);
  }

  // ---- what the door says

  /** A hello that counts names this journal: the one that is known here, and whether that is another. */
  named(journal: Bytes): { journal: Bytes; isOther: boolean } {
    // A hello does not change which journal this is, an answer of the door does (`look`): a broker can replay yesterday's.
    const known = this.state.record.journal ?? journal;
    this.#otherJournal = !same(known, journal);
    return { journal: known, isOther: this.#otherJournal };
  }

  /** The door's key is known: from here on there is a chain to believe. */
  begin(verifyKey: Bytes): void {
    this.#chain ??= new Chain(verifyKey, this.state.record.head);
  }

  /** Which journal the door has, and how far it goes, is believed of what answers a question of now: the rest may be replayed. */
  async look({ journal, head }: Reply): Promise<void> {
    const known = this.state.record.journal;
    this.#otherJournal = false;
    if (!known || !same(known, journal)) await this.#anew(journal);
    const fault = head && this.#chain?.compare(head);
    if (fault) await this.state.trouble(fault.word, fault.index);
  }

  async hear(payload: Bytes): Promise<void> {
    clearTimeout(this.#gapEnds);
    if (this.#isEarly) {
      // The door has yet to be asked for all of its history: with this entry first, it would begin here for this phone. Or it may
      // be of another journal than the one that is known here.
      if (this.#early.length < MOST_EARLY) this.#early.push(payload);
      if (!this.#otherJournal && this.state.view.answers) this.#gapEnds = setTimeout(() => void this.#fill(), GAP_AFTER_MS);
      return;
    }
    await this.#take([payload]);
    if (this.#missing > 0) this.#gapEnds = setTimeout(() => void this.#fill(), GAP_AFTER_MS);
  }

  /** Pages of the journal behind what is here. Raises Refused. */
  async catchUp(): Promise<void> {
    const rest = this.wire.haste();
    try {
      await this.#pages();
    } finally {
      rest();
    }
    this.#asked = true;
    if (this.#missing > 0) await this.state.trouble("missing", this.#last + 1);
  }

  /** What came too early, unless it still is. */
  goOn(): void {
    if (!this.#isEarly) for (const payload of this.#early.splice(0)) void this.wire.queue(() => this.hear(payload));
  }

  /**
   * Fetching *clip* failed with *word*. Where the journal has no reason for that it is a red banner: another clip came than it
   * names, or the one that it keeps is gone.
   */
  async missed(clip: string, word: string): Promise<void> {
    if (word !== "forged" && word !== "gone") return;
    try {
      if (word === "gone") await this.catchUp(); // its deletion may be on the way
    } catch (error) {
      if (error instanceof Refused) return;
      throw error;
    }
    const entry = this.story.keeps(clip, this.#era);
    if (entry !== null) await this.state.trouble(word === "gone" ? "gone" : "clip", entry);
  }

  // ---- what comes, into what is believed

  get #isEarly(): boolean {
    return this.#otherJournal || !(this.#chain?.head || this.#asked);
  }

  get #last(): number {
    return this.#chain?.head?.index ?? 0;
  }

  get #missing(): number {
    return this.#chain?.missing ?? 0;
  }

  get #era(): number {
    return this.state.record.former?.length ?? 0;
  }

  async #pages(): Promise<void> {
    for (let page = 0; page < PAGES_AT_ONCE; page++) {
      const since = this.#last;
      const { result } = await this.wire.asking.ask("journal", { since });
      const entries = Array.isArray(result["entries"]) ? result["entries"] : [];
      await this.wire.queue(() => this.#take(entries.map((one) => utf8(JSON.stringify(one)))));
      if (result["more"] !== true || this.#last <= since) break;
    }
  }

  /** Entries are missing for a while now: ask for them; when they do not come, say so. */
  async #fill(): Promise<void> {
    try {
      await this.catchUp();
      this.goOn();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (this.#missing > 0 && this.state.view.link === "online") await this.state.trouble("missing", this.#last + 1);
    }
  }

  /** Entries as they came, oldest first: looked at in the back room, and believed as far as the chain holds. */
  async #take(documents: readonly Bytes[]): Promise<void> {
    const chain = this.#chain;
    if (!chain) return; // before the first hello: the broker keeps none of these, the door is asked
    for (let from = 0; from < documents.length; from += AT_ONCE) {
      const looked = await this.backroom.look(documents.slice(from, from + AT_ONCE), chain.verifyKey);
      const believed: Entry[] = [];
      for (const { entry, signed, body } of looked) {
        if (!entry) continue;
        if (signed) this.#bodies.set(entry, body);
        const taken = await chain.take(entry, signed);
        if (typeof taken === "string") {
          if (taken === "forged") this.state.show({ forged: this.state.view.forged + 1 });
          this.state.show({ missing: chain.missing });
        } else if ("fault" in taken) await this.state.trouble(taken.fault.word, taken.fault.index);
        else believed.push(...taken.entries);
      }
      if (believed.length > 0) await this.#believe(believed);
    }
  }

  async #believe(entries: readonly Entry[]): Promise<void> {
    const { record } = this.state;
    const rows = entries.map((entry) => [this.#place(entry.index), { index: entry.index, hash: entry.hash, document: documentOf(entry) }] as const);
    await this.cupboard.put("entries", rows);
    for (const entry of entries) await this.#tell(entry, this.#bodies.get(entry) ?? null, this.#era);
    const watched = entries.map((entry) => this.#bodies.get(entry)).filter((body) => body?.kind === "live" && body["what"] === "began").length;
    await this.#forget();
    const head = this.#chain!.head!;
    await this.state.keep({ head, anchor: record.anchor || entries[0]!.index, liveSessions: record.liveSessions + watched });
    this.#tellSoon();
  }

  /** *before*: it was told at an earlier start, and its trouble too. */
  async #tell({ index, body: sealed }: Entry, body: Body | null, era: number, before = false): Promise<void> {
    if (this.story.add(index, body, era, sealed !== null) && !before) await this.state.trouble("vanished", index);
    if (!before && body?.kind === "settings" && typeof body["recording"] === "boolean") this.state.show({ recording: body["recording"] });
    if (before || !body) return; // its poster was looked at then; what is left over is swept
    const named = body["visit"] ?? this.story.visitOfClip(String(body["id"]))?.id;
    const poster = typeof named === "string" ? await this.posters.review(named) : "stays";
    if (poster === "doubted") await this.state.trouble("poster", index);
    if (poster !== "stays") this.#withdraw(1);
  }

  #withdraw(count: number): void {
    this.state.show({ withdrawn: this.state.view.withdrawn + count });
  }

  /** Another journal: a fresh card, or a restore. What was is still shown, the chain begins anew. */
  async #anew(journal: Bytes): Promise<void> {
    const { record } = this.state;
    if (record.head) await this.state.trouble("anew", record.head.index);
    const former = record.head ? [...(record.former ?? []), record.journal!] : (record.former ?? []);
    this.#asked = false;
    await this.state.keep({ journal, former, head: null, anchor: 0 });
    if (record.verifyKey) this.#chain = new Chain(record.verifyKey);
  }

  /** Years of history may come at once: it is sorted for the screen a few times a second, not at each entry. */
  #tellSoon(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      const { story } = this;
      const verifiedTo = this.#chain?.head?.index ?? this.state.view.verifiedTo;
      const joinedLater = this.state.record.anchor > 1 || story.joinedLater;
      this.state.show({ visits: story.visits, watching: story.watching, joinedLater, entries: story.lines.size, missing: this.#missing, verifiedTo });
    }, TELL_EVERY_MS);
  }

  // ---- what is kept

  /** What is verified already; nothing is opened yet. */
  async remember(): Promise<readonly Remembered[]> {
    const { record } = this.state;
    const kept: Remembered[] = [];
    for (const [era, journal] of [...(record.former ?? []), record.journal].entries()) {
      if (!journal) continue;
      for await (const page of this.cupboard.pages<KeptEntry>("entries", under(record.door, hex(journal))))
        kept.push(...page.map((one) => ({ ...one, era })));
    }
    // What lies behind the head was put down just before the app ended: it is taken anew, else the head would never pass it.
    const last = record.head?.index ?? 0;
    const known = kept.filter(({ era, index }) => era === this.#era && index <= last).map((one) => [one.index, one.hash] as const);
    if (record.verifyKey) this.#chain = new Chain(record.verifyKey, record.head, known);
    return kept;
  }

  /** Open what is kept, newest first: the screen is there at once, and years may take their seconds. */
  async retell(kept: readonly Remembered[]): Promise<void> {
    for (let to = kept.length; to > 0; to -= AT_ONCE) {
      const some = kept.slice(Math.max(0, to - AT_ONCE), to).reverse();
      const looked = await this.backroom.look(some.map((one) => one.document), null);
      for (const [place, { entry, body }] of looked.entries()) if (entry) await this.#tell(entry, body, some[place]!.era, true);
      this.#tellSoon();
    }
  }

  /** What should have gone when the app was ended. */
  async sweep(): Promise<void> {
    await this.#forget();
    const gone = await this.posters.sweep();
    if (gone > 0) this.#withdraw(gone);
  }

  /** The door's retention reaches this phone: the bodies and pictures that the door has forgotten go here too, the chain stays. */
  async #forget(): Promise<void> {
    const { forgotten } = this.story;
    const { door, former = [], journal, forgotten: done = 0 } = this.state.record;
    if (forgotten <= done) return;
    const gone = this.story.forget();
    await this.posters.forget(gone);
    for (const [era, id] of [...former, journal!].entries()) {
      const place = (bound: number): IDBValidKey => [door, hex(id), Math.max(0, bound - era * ERA)];
      if (forgotten <= era * ERA || done - era * ERA > ERA) continue;
      const range = IDBKeyRange.bound(place(done), place(forgotten), false, true);
      for await (const page of this.cupboard.pages<KeptEntry>("entries", range)) {
        const rows = page.map((row) => [[door, hex(id), row.index] as IDBValidKey, { ...row, document: withoutBody(row.document) }] as const);
        await this.cupboard.put("entries", rows);
      }
    }
    await this.state.keep({ forgotten });
    this.#withdraw(gone.length);
  }

  #place(index: number): IDBValidKey {
    const { door, journal } = this.state.record;
    return [door, hex(journal!), index];
  }
}

/** The entry as it came, for the shelf: read again, it gives the same hash. */
function documentOf(entry: Entry): Bytes {
  const body = entry.body ? { body: base64(entry.body) } : { body: null, body_hash: base64(entry.bodyHash) };
  return utf8(JSON.stringify({ index: entry.index, prev: base64(entry.prev), ...body, sig: base64(entry.sig) }));
}

function withoutBody(document: Bytes): Bytes {
  return documentOf({ ...readDocument(document), body: null });
}
