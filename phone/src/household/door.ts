/**
 * One door, as this phone follows it: every message that comes from the broker passes through here, and is believed only as
 * far as its signature, its place in the chain or its hash goes.
 */

import { Bell } from "../door/alert";
import { Opener } from "../door/age";
import { type Bytes, base64, fromUtf8, hex, same, unbase64, utf8 } from "../door/bytes";
import { Chain } from "../door/chain";
import { DoorClock } from "../door/clock";
import type { Reply } from "../door/command";
import { readHello } from "../door/hello";
import { type Body, type Entry, readDocument } from "../door/journal";
import { knowsSecret } from "../door/pairing";
import { Refused } from "../door/refused";
import { knownRoster } from "../door/roster";
import type { Signer } from "../door/sign";
import type { Backroom } from "../backroom/work";
import { type Cupboard, under } from "../keep/cupboard";
import type { Keys } from "../keep/keys";
import { Broker, type LinkState } from "../link/broker";
import { topicsOf } from "../link/topics";
import { Asking, now } from "./asking";
import { Entering, type Threshold } from "./entering";
import { follow } from "./following";
import { readHealth } from "./health";
import { Posters } from "./posters";
import type { DoorRecord, DoorView, Ringing, Trouble } from "./record";
import { ERA, Story } from "./story";

const RINGS_FOR_MS = 60_000;
const GAP_AFTER_MS = 15_000;
const PAGES_AT_ONCE = 200;
const MOST_EARLY = 256; // more would come again in the door's answer
const MOST_DOUBTED = 8;
const GREETINGS = 5;
const AGAIN_AFTER_MS = 2000;
const TELL_EVERY_MS = 100;
const STILL_WITHIN_MS = 20_000;
const BACK_WITHIN_MS = 180_000;
const AT_ONCE = 32; // entries the back room opens before anything else gets its turn
const DELETED_AT_ONCE = 32;

interface KeptEntry {
  readonly index: number;
  readonly hash: Bytes;
  readonly document: Bytes;
}

/** Of the journal that the door keeps now, or of the one so many before. */
type Remembered = KeptEntry & { readonly era: number };

export class Door {
  readonly story = new Story();
  readonly asking: Asking;
  readonly entering: Entering;
  readonly #opener: Opener;
  readonly #clock = new DoorClock();
  readonly #bell: Bell;
  readonly #posters: Posters;
  readonly #bodies = new WeakMap<Entry, Body | null>(); // opened already, and waiting for what comes before them
  readonly #returns = new Set<() => void>();
  #early: Bytes[] = [];
  #doubted: Bytes[] = [];
  #asked = false; // whether the door gave all the history that it has, of a journal of which this phone had nothing
  #otherJournal = false; // a hello names another journal, and no answer has said yet whether it is so
  #chain: Chain | null = null;
  #broker: Broker;
  #work: Promise<void> = Promise.resolve();
  #view: DoorView;
  #ringEnds: ReturnType<typeof setTimeout> | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #gapEnds: ReturnType<typeof setTimeout> | undefined;
  #greetAgain: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #changed: () => void;

  constructor(
    record: DoorRecord,
    keys: Keys,
    private readonly cupboard: Cupboard,
    readonly backroom: Backroom,
    changed: () => void,
  ) {
    this.#changed = changed;
    this.#opener = new Opener(keys.identity);
    this.#bell = new Bell(record.rung);
    this.#view = {
      record, link: "offline", door: "unknown", recording: null, health: null, heardAt: 0, watching: [], ringing: null, visits: [],
      joinedLater: false, withdrawn: 0,
      entries: 0, missing: 0, verifiedTo: record.head?.index ?? 0, forged: 0, answers: false, role: null, removed: false,
    };
    const base = `doorbell/${record.door}`;
    const askAs = (signer: Signer, opener: Opener): Asking =>
      new Asking(signer, opener, this.#clock, () => this.#facts(), (payload) => this.#broker.send(`${base}/from/${this.asking.me}`, payload));
    this.asking = askAs(keys.signer, this.#opener);
    this.entering = new Entering(keys, this.#threshold(askAs));
    this.#posters = new Posters(record.door, this.story, cupboard, this.asking);
    const { me } = this.asking;
    this.#broker = new Broker(
      { url: record.broker, login: record.login, password: record.password, clientId: record.clientId },
      topicsOf(me).map((topic) => `${base}/${topic}`),
      (topic, payload, retained) => void this.#queue(() => this.#hear(topic.slice(base.length + 1), payload, retained)),
      (state) => this.#link(state),
    );
  }

  /** What lies between this phone and the household, for `entering`. */
  #threshold(askAs: Threshold["askAs"]): Threshold {
    const door = this;
    return {
      askAs,
      get record() {
        return door.#view.record;
      },
      get closed() {
        return door.#closed;
      },
      send: (topic, payload) => void this.#broker.send(topic, payload),
      hello: async () => this.#roster((await this.asking.ask("hello")).result["roster"]),
      keep: (change) => this.#keep(change),
      // The door answers one hello a second.
      entered: () => void (this.#greetAgain = setTimeout(() => void this.greet(), AGAIN_AFTER_MS)),
    };
  }

  get view(): DoorView {
    return this.#view;
  }

  /** Messages on `clip/…` and `live/…`, for whoever asked for them. */
  onChunk: ((topic: string, payload: Bytes) => void) | null = null;
  onLive: ((topic: string, payload: Bytes) => void) | null = null;

  /** The door's uptime now, in seconds, at least; null before it answered. */
  get uptime(): number | null {
    return this.#clock.expiry(0, now());
  }

  async start(): Promise<void> {
    const kept = await this.#remember();
    this.#broker.open();
    await this.#retell(kept);
    await this.#queue(() => this.#sweep());
  }

  /** When the broker is there again, at once where it is. Raises Refused after *BACK_WITHIN_MS*, or when *stop* says so. */
  back(stop: AbortSignal): Promise<void> {
    if (this.#view.link === "online") return Promise.resolve();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => end(() => reject(new Refused("offline"))), BACK_WITHIN_MS);
      const stopped = (): void => end(() => reject(new Refused("stopped")));
      const here = (): void => end(resolve);
      const end = (how: () => void): void => {
        clearTimeout(late);
        stop.removeEventListener("abort", stopped);
        this.#returns.delete(here);
        how();
      };
      stop.addEventListener("abort", stopped);
      this.#returns.add(here);
    });
  }

  /** Somebody waits for bytes; call what is returned when they do no more. */
  haste(): () => void {
    return this.#broker.haste();
  }

  hurry(): void {
    this.#broker.hurry();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#ringEnds);
    clearTimeout(this.#gapEnds);
    clearTimeout(this.#greetAgain);
    clearTimeout(this.#telling);
    this.#broker.close();
  }

  // ---- what a person does

  ignore(): void {
    clearTimeout(this.#ringEnds);
    this.#show({ ringing: null });
  }

  silence(until: number): Promise<void> {
    this.ignore();
    return this.#keep({ silentUntil: until });
  }

  putAway(trouble: Trouble): Promise<void> {
    return this.#keep({ faults: this.#view.record.faults.filter((one) => one !== trouble) });
  }

  /** A person compared the door's check words with what the door itself shows. */
  compared(): Promise<void> {
    return this.#keep({ known: "compared" });
  }

  /** The login at the broker has another password, from the next connection on. */
  relogin(password: string): Promise<void> {
    return this.#keep({ password });
  }

  rename(name: string): Promise<void> {
    return this.#keep({ name });
  }

  /**
   * The poster of a visit as a picture, or null when there is none, or it is not the one that the journal names. One that did
   * not come by itself is asked for.
   */
  async poster(visit: string): Promise<Bytes | null> {
    let kept = await this.#posters.kept(visit);
    if (!kept && this.#view.answers) {
      const came = await this.#posters.ask(visit);
      if (came) await this.#poster(visit, came);
      kept = await this.#posters.kept(visit);
    }
    if (!kept) return null;
    const { ending, plain } = await this.backroom.open(kept);
    return ending === "opens" && plain[0] === 0xff && plain[1] === 0xd8 ? plain : null;
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
    if (entry !== null) await this.#trouble(word === "gone" ? "gone" : "clip", entry);
  }

  /** A picture of now, as a JPEG, sealed to this phone alone. Raises Refused. */
  async still(): Promise<Bytes> {
    const { result } = await this.asking.ask("still", {}, { within: STILL_WITHIN_MS });
    const sealed = unbase64(result["still"]);
    const opened = sealed && (await this.backroom.open(sealed));
    if (opened?.ending !== "opens") throw new Refused("damaged");
    return opened.plain;
  }

  // ---- what comes

  /** One after the other, in the order in which they came. */
  #queue(task: () => Promise<void>): Promise<void> {
    return (this.#work = this.#work.then(task).catch((error: unknown) => {
      if (!(error instanceof Refused)) return reportError(error); // a mistake of ours: told, and the next message is heard
      if (error.word === "signature") this.#show({ forged: this.#view.forged + 1 });
    }));
  }

  async #hear(topic: string, payload: Bytes, retained: boolean): Promise<void> {
    const [kind, rest] = topic.split("/", 2) as [string, string | undefined];
    switch (kind) {
      case "availability":
        return this.#available(fromUtf8(payload) === "online" ? "online" : "offline");
      case "hello":
        return this.#hello(payload);
      case "alert":
        return retained ? undefined : this.#alert(payload);
      case "poster":
        return this.#poster(rest ?? "", payload);
      case "journal":
        return this.#entry(payload);
      case "to":
        return this.#reply(payload);
      case "clip":
        return this.onChunk?.(topic, payload);
      case "live":
        return this.onLive?.(topic, payload);
    }
  }

  /** The door says `online` before nearly every ring, to prove its link: no reason to draw the screen anew just then. */
  #available(door: DoorView["door"]): void {
    if (this.#view.door !== door) this.#show({ door });
  }

  async #hello(payload: Bytes): Promise<void> {
    const { record } = this.#view;
    const known = record.verifyKey;
    let hello;
    try {
      hello = await readHello(payload, record.door, known);
    } catch (error) {
      if (error instanceof Refused && error.word === "signature" && known) await this.#trouble("stranger", 0);
      throw error;
    }
    const { joining } = record;
    if (joining?.secret && !known && !knowsSecret(hello, joining.secret)) return; // whoever it is: nothing of it is believed
    const fresh = !this.#clock.epoch || !same(this.#clock.epoch, hello.epoch);
    // An epoch that the door itself has confirmed is given up only when the door confirms another: a broker can replay the
    // hello of yesterday, and then yesterday's ring.
    if (!this.#clock.asked) this.#clock.begin(hello.epoch);
    // Nor does a hello change which journal this is: an answer of the door does (#look).
    const journal = record.journal ?? hello.journal;
    this.#otherJournal = !same(journal, hello.journal);
    await this.#keep({ verifyKey: hello.verifyKey, boxKey: hello.boxKey, journal });
    if (joining && !known)
      await this.#keep({ known: joining.secret ? "paired" : "first", joining: { ...joining, ticket: null, step: "asking" } });
    this.#chain ??= new Chain(hello.verifyKey, this.#view.record.head);
    if (fresh || this.#otherJournal) {
      this.#show({ answers: false });
      void (this.#view.record.joining?.step === "asking" ? this.entering.knock() : this.greet());
    }
  }

  /** Delete *clips* at the door, for everybody; how many were there. Raises Refused. */
  async deleteClips(clips: readonly string[]): Promise<number> {
    let deleted = 0;
    for (let at = 0; at < clips.length; at += DELETED_AT_ONCE) {
      const { result } = await this.asking.ask("delete", { clips: clips.slice(at, at + DELETED_AT_ONCE) });
      deleted += Array.isArray(result["deleted"]) ? result["deleted"].length : 0;
    }
    return deleted;
  }

  /** Ask the door for its uptime, its household and what this phone has missed. Quiet when it does not answer. */
  async greet(tries = GREETINGS): Promise<void> {
    try {
      await this.refresh();
      for (const payload of this.#doubted.splice(0)) void this.#queue(() => this.#alert(payload));
      await this.catchUp();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.word === "member") this.#show({ removed: true });
      if (error.word !== "silence" || tries <= 1) return;
      clearTimeout(this.#greetAgain);
      this.#greetAgain = setTimeout(() => void this.greet(tries - 1), AGAIN_AFTER_MS * (1 + GREETINGS - tries));
    } finally {
      this.#goOn();
    }
  }

  /** How the door is now, in its own words. Raises Refused. */
  async refresh(): Promise<void> {
    const { result } = await this.asking.ask("hello");
    await this.#roster(result["roster"]);
    const role = result["role"] === "admin" ? "admin" : "member";
    const recording = typeof result["recording"] === "boolean" ? result["recording"] : this.#view.recording;
    this.#show({ answers: true, removed: false, role, recording, health: readHealth(result["health"]), heardAt: Date.now() });
  }

  async #roster(document: unknown): Promise<void> {
    const { record } = this.#view;
    if (typeof document !== "object" || document === null || !record.verifyKey) return;
    const present = record.roster && knownRoster(record.roster);
    const { roster, trouble } = await follow(document, record.door, record.verifyKey, present, record.owner ?? null);
    if (roster) await this.#keep({ roster: roster.document });
    if (trouble) await this.#trouble(trouble, knownRoster(document).revision);
  }

  /** Pages of the journal behind what is here. */
  async catchUp(): Promise<void> {
    const rest = this.#broker.haste();
    try {
      await this.#pages();
    } finally {
      rest();
    }
    this.#asked = true;
    if (this.#chain && this.#chain.missing > 0) await this.#trouble("missing", (this.#chain?.head?.index ?? 0) + 1);
  }

  /** What came too early, unless it still is. */
  #goOn(): void {
    if (!this.#isEarly) for (const payload of this.#early.splice(0)) void this.#queue(() => this.#entry(payload));
  }

  get #isEarly(): boolean {
    return this.#otherJournal || !(this.#chain?.head || this.#asked);
  }

  async #pages(): Promise<void> {
    for (let page = 0; page < PAGES_AT_ONCE; page++) {
      const since = this.#chain?.head?.index ?? 0;
      const { result } = await this.asking.ask("journal", { since });
      const entries = Array.isArray(result["entries"]) ? result["entries"] : [];
      await this.#queue(() => this.#take(entries.map((one) => utf8(JSON.stringify(one)))));
      if (result["more"] !== true || (this.#chain?.head?.index ?? 0) <= since) break;
    }
  }

  async #alert(payload: Bytes): Promise<void> {
    const { record } = this.#view;
    if (!record.verifyKey) return;
    let alert;
    try {
      alert = await this.#bell.hear(payload, record.door, this.#opener, record.verifyKey, this.#clock, now());
    } catch (error) {
      // Of another start of the door, perhaps the one of now: heard again as soon as the door has said which that is.
      if (error instanceof Refused && error.word === "epoch") this.#doubted = [...this.#doubted, payload].slice(-MOST_DOUBTED);
      throw error;
    }
    const ringing: Ringing = { ...alert, heard: Date.now() };
    if (record.silentUntil <= Date.now()) {
      this.#show({ ringing });
      clearTimeout(this.#ringEnds);
      this.#ringEnds = setTimeout(() => this.#show({ ringing: null }), RINGS_FOR_MS);
    }
    await this.#keep({ rung: this.#bell.rung }); // shown first; a broker that says it again finds it known after a reload too
  }

  async #poster(visit: string, sealed: Bytes): Promise<void> {
    const came = await this.#posters.take(visit, sealed);
    if (came === "taken") this.#show({});
    if (came === "doubted") await this.#trouble("poster", 0);
  }

  async #entry(payload: Bytes): Promise<void> {
    clearTimeout(this.#gapEnds);
    if (this.#isEarly) {
      // The door has yet to be asked for all of its history: with this entry first, it would begin here for this phone. Or it may
      // be of another journal than the one that is known here.
      if (this.#early.length < MOST_EARLY) this.#early.push(payload);
      if (!this.#otherJournal && this.#view.answers) this.#gapEnds = setTimeout(() => void this.#fill(), GAP_AFTER_MS);
      return;
    }
    await this.#take([payload]);
    if (this.#chain && this.#chain.missing > 0) this.#gapEnds = setTimeout(() => void this.#fill(), GAP_AFTER_MS);
  }

  /** Entries are missing for a while now: ask for them; when they do not come, say so. */
  async #fill(): Promise<void> {
    try {
      await this.catchUp();
      this.#goOn();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (this.#chain && this.#chain.missing > 0 && this.#view.link === "online")
        await this.#trouble("missing", (this.#chain.head?.index ?? 0) + 1);
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
          if (taken === "forged") this.#show({ forged: this.#view.forged + 1 });
          this.#show({ missing: chain.missing });
        } else if ("fault" in taken) await this.#trouble(taken.fault.word, taken.fault.index);
        else believed.push(...taken.entries);
      }
      if (believed.length > 0) await this.#believe(believed);
    }
  }

  async #believe(entries: readonly Entry[]): Promise<void> {
    const { record } = this.#view;
    const rows = entries.map((entry) => [this.#place(entry.index), { index: entry.index, hash: entry.hash, document: documentOf(entry) }] as const);
    await this.cupboard.put("entries", rows);
    for (const entry of entries) await this.#tell(entry, this.#bodies.get(entry) ?? null, this.#era);
    const watched = entries.map((entry) => this.#bodies.get(entry)).filter((body) => body?.kind === "live" && body["what"] === "began").length;
    await this.#forget();
    const head = this.#chain!.head!;
    await this.#keep({ head, anchor: record.anchor || entries[0]!.index, liveSessions: record.liveSessions + watched });
    this.#tellSoon();
  }

  /** *before*: it was told at an earlier start, and its trouble too. */
  async #tell({ index, body: sealed }: Entry, body: Body | null, era: number, before = false): Promise<void> {
    if (this.story.add(index, body, era, sealed !== null) && !before) await this.#trouble("vanished", index);
    if (!before && body?.kind === "settings" && typeof body["recording"] === "boolean") this.#show({ recording: body["recording"] });
    if (before || !body) return; // its poster was looked at then; what is left over is swept
    const named = body["visit"] ?? this.story.visitOfClip(String(body["id"]))?.id;
    const poster = typeof named === "string" ? await this.#posters.review(named) : "stays";
    if (poster === "doubted") await this.#trouble("poster", index);
    if (poster !== "stays") this.#show({ withdrawn: this.#view.withdrawn + 1 });
  }

  async #reply(payload: Bytes): Promise<void> {
    const toOwner = await this.entering.hear(payload);
    if (toOwner) await this.#look(toOwner);
    else await this.asking.hear(payload, (reply) => this.#look(reply));
  }

  /** Which journal the door has, and how far it goes, is believed of what answers a question of now: the rest may be replayed. */
  async #look({ journal, head }: Reply): Promise<void> {
    const known = this.#view.record.journal;
    this.#otherJournal = false;
    if (!known || !same(known, journal)) await this.#anew(journal);
    const fault = head && this.#chain?.compare(head);
    if (fault) await this.#trouble(fault.word, fault.index);
  }

  #link(link: LinkState): void {
    if (link !== "online") {
      this.asking.giveUp();
      this.entering.giveUp();
      this.#show({ link, door: "unknown" });
    } else {
      this.#show({ link });
      for (const here of [...this.#returns]) here();
      if (this.#clock.epoch) void this.greet();
    }
  }

  // ---- what is kept

  /** What is verified already; nothing is opened yet. */
  async #remember(): Promise<readonly Remembered[]> {
    const { record } = this.#view;
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
  async #retell(kept: readonly Remembered[]): Promise<void> {
    for (let to = kept.length; to > 0; to -= AT_ONCE) {
      const some = kept.slice(Math.max(0, to - AT_ONCE), to).reverse();
      const looked = await this.backroom.look(some.map((one) => one.document), null);
      for (const [place, { entry, body }] of looked.entries()) if (entry) await this.#tell(entry, body, some[place]!.era, true);
      this.#tellSoon();
    }
  }

  /** The door's retention reaches this phone: the bodies and pictures that the door has forgotten go here too, the chain stays. */
  async #forget(): Promise<void> {
    const { forgotten } = this.story;
    const { door, former = [], journal, forgotten: done = 0 } = this.#view.record;
    if (forgotten <= done) return;
    const gone = this.story.forget();
    await this.#posters.forget(gone);
    for (const [era, id] of [...former, journal!].entries()) {
      const place = (bound: number): IDBValidKey => [door, hex(id), Math.max(0, bound - era * ERA)];
      if (forgotten <= era * ERA || done - era * ERA > ERA) continue;
      const range = IDBKeyRange.bound(place(done), place(forgotten), false, true);
      for await (const page of this.cupboard.pages<KeptEntry>("entries", range)) {
        const rows = page.map((row) => [[door, hex(id), row.index] as IDBValidKey, { ...row, document: withoutBody(row.document) }] as const);
        await this.cupboard.put("entries", rows);
      }
    }
    await this.#keep({ forgotten });
    this.#show({ withdrawn: this.#view.withdrawn + gone.length });
  }

  /** What should have gone when the app was ended. */
  async #sweep(): Promise<void> {
    await this.#forget();
    const gone = await this.#posters.sweep();
    if (gone > 0) this.#show({ withdrawn: this.#view.withdrawn + gone });
  }

  /** Another journal: a fresh card, or a restore. What was is still shown, the chain begins anew. */
  async #anew(journal: Bytes): Promise<void> {
    const { record } = this.#view;
    if (record.head) await this.#trouble("anew", record.head.index);
    const former = record.head ? [...(record.former ?? []), record.journal!] : (record.former ?? []);
    this.#asked = false;
    await this.#keep({ journal, former, head: null, anchor: 0 });
    if (record.verifyKey) this.#chain = new Chain(record.verifyKey);
  }

  get #era(): number {
    return this.#view.record.former?.length ?? 0;
  }

  #facts() {
    const { door, verifyKey, boxKey, roster } = this.#view.record;
    return verifyKey && boxKey ? { door, verifyKey, boxKey, roster: roster ? knownRoster(roster).revision : 0 } : null;
  }

  #place(index: number): IDBValidKey {
    const { door, journal } = this.#view.record;
    return [door, hex(journal!), index];
  }

  async #trouble(what: Trouble["what"], index: number): Promise<void> {
    const { faults } = this.#view.record;
    if (faults.some((one) => one.what === what && one.index === index)) return;
    await this.#keep({ faults: [...faults.slice(-9), { what, index, seen: Date.now() }] });
  }

  async #keep(change: Partial<DoorRecord>): Promise<void> {
    const record = { ...this.#view.record, ...change };
    this.#show({ record });
    if (this.#closed) return; // another window writes it now, or it was forgotten
    await this.cupboard.put("doors", [[record.door, record]]);
  }

  /** Years of history may come at once: it is sorted for the screen a few times a second, not at each entry. */
  #tellSoon(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      const { story } = this;
      const verifiedTo = this.#chain?.head?.index ?? this.#view.verifiedTo;
      const joinedLater = this.#view.record.anchor > 1 || story.joinedLater;
      this.#show({ visits: story.visits, watching: story.watching, joinedLater, entries: story.lines.size, missing: this.#chain?.missing ?? 0, verifiedTo });
    }, TELL_EVERY_MS);
  }

  #show(change: Partial<DoorView>): void {
    this.#view = { ...this.#view, ...change };
    this.#changed();
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
