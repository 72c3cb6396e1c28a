/**
 * One door, as this phone follows it: every message that comes from the broker passes through here, and is believed only as
 * far as its signature, its place in the chain or its hash goes.
 */

import { Bell } from "../door/alert";
import { Opener } from "../door/age";
import { type Bytes, fromUtf8, same, unbase64 } from "../door/bytes";
import { DoorClock } from "../door/clock";
import { readHello } from "../door/hello";
import { knowsSecret } from "../door/pairing";
import { Refused } from "../door/refused";
import { knownRoster } from "../door/roster";
import type { Signer } from "../door/sign";
import type { Backroom } from "../backroom/work";
import type { Cupboard } from "../keep/cupboard";
import type { Keys } from "../keep/keys";
import { Broker, type LinkState } from "../link/broker";
import { topicsOf } from "../link/topics";
import { Asking, now } from "./asking";
import { Entering } from "./entering";
import { follow } from "./following";
import { readHealth } from "./health";
import { History } from "./history";
import { Posters } from "./posters";
import type { DoorRecord, DoorView, Ringing, Trouble } from "./record";
import { DoorState } from "./state";
import { Story } from "./story";

const RINGS_FOR_MS = 60_000;
const MOST_DOUBTED = 8;
const GREETINGS = 5;
const AGAIN_AFTER_MS = 2000;
const STILL_WITHIN_MS = 20_000;
const BACK_WITHIN_MS = 180_000;
const DELETED_AT_ONCE = 32;

export class Door {
  readonly story = new Story();
  readonly asking: Asking;
  readonly entering: Entering;
  readonly history: History;
  readonly #state: DoorState;
  readonly #opener: Opener;
  readonly #clock = new DoorClock();
  readonly #bell: Bell;
  readonly #posters: Posters;
  readonly #broker: Broker;
  readonly #returns = new Set<() => void>();
  #doubted: Bytes[] = [];
  #work: Promise<void> = Promise.resolve();
  #ringEnds: ReturnType<typeof setTimeout> | undefined;
  #greetAgain: ReturnType<typeof setTimeout> | undefined;

  constructor(
    record: DoorRecord,
    keys: Keys,
    cupboard: Cupboard,
    readonly backroom: Backroom,
    changed: () => void,
  ) {
    this.#state = new DoorState(record, cupboard, changed);
    this.#opener = new Opener(keys.identity);
    this.#bell = new Bell(record.rung);
    const base = `doorbell/${record.door}`;
    const send = (topic: string, payload: Bytes): boolean => this.#broker.send(`${base}/${topic}`, payload);
    const askAs = (signer: Signer, opener: Opener): Asking =>
      new Asking(signer, opener, this.#clock, () => this.#facts(), (payload) => send(`from/${this.asking.me}`, payload));
    this.asking = askAs(keys.signer, this.#opener);
    this.entering = new Entering(keys, this.#state, {
      askAs,
      knock: (request) => void send("pair", request),
      hello: async () => this.#roster((await this.asking.ask("hello")).result["roster"]),
      // The door answers one hello a second.
      entered: () => void (this.#greetAgain = setTimeout(() => void this.greet(), AGAIN_AFTER_MS)),
    });
    this.#posters = new Posters(record.door, this.story, cupboard, this.asking);
    this.history = new History(this.#state, this.story, this.#posters, cupboard, backroom, {
      asking: this.asking,
      queue: (task) => this.#queue(task),
      haste: () => this.haste(),
    });
    this.#broker = new Broker(
      { url: record.broker, login: record.login, password: record.password, clientId: record.clientId },
      topicsOf(this.asking.me).map((topic) => `${base}/${topic}`),
      (topic, payload, retained) => void this.#queue(() => this.#hear(topic.slice(base.length + 1), payload, retained)),
      (state) => this.#link(state),
    );
  }

  get view(): DoorView {
    return this.#state.view;
  }

  /** Messages on `clip/…` and `live/…`, for whoever asked for them. */
  onChunk: ((topic: string, payload: Bytes) => void) | null = null;
  onLive: ((topic: string, payload: Bytes) => void) | null = null;

  /** The door's uptime now, in seconds, at least; null before it answered. */
  get uptime(): number | null {
    return this.#clock.expiry(0, now());
  }

  async start(): Promise<void> {
    const kept = await this.history.remember();
    this.#broker.open();
    await this.history.retell(kept);
    await this.#queue(() => this.history.sweep());
  }

  /** When the broker is there again, at once where it is. Raises Refused after *BACK_WITHIN_MS*, or when *stop* says so. */
  back(stop: AbortSignal): Promise<void> {
    if (this.view.link === "online") return Promise.resolve();
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
    this.#state.closed = true;
    clearTimeout(this.#ringEnds);
    clearTimeout(this.#greetAgain);
    this.history.close();
    this.#broker.close();
  }

  // ---- what a person does

  ignore(): void {
    clearTimeout(this.#ringEnds);
    this.#state.show({ ringing: null });
  }

  silence(until: number): Promise<void> {
    this.ignore();
    return this.#state.keep({ silentUntil: until });
  }

  putAway(trouble: Trouble): Promise<void> {
    return this.#state.keep({ faults: this.#state.record.faults.filter((one) => one !== trouble) });
  }

  /** A person compared the door's check words with what the door itself shows. */
  compared(): Promise<void> {
    return this.#state.keep({ known: "compared" });
  }

  /** The login at the broker has another password, from the next connection on. */
  relogin(password: string): Promise<void> {
    return this.#state.keep({ password });
  }

  rename(name: string): Promise<void> {
    return this.#state.keep({ name });
  }

  /**
   * The poster of a visit as a picture, or null when there is none, or it is not the one that the journal names. One that did
   * not come by itself is asked for.
   */
  async poster(visit: string): Promise<Bytes | null> {
    let kept = await this.#posters.kept(visit);
    if (!kept && this.view.answers) {
      const came = await this.#posters.ask(visit);
      if (came) await this.#poster(visit, came);
      kept = await this.#posters.kept(visit);
    }
    if (!kept) return null;
    const { ending, plain } = await this.backroom.open(kept);
    return ending === "opens" && plain[0] === 0xff && plain[1] === 0xd8 ? plain : null;
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
      if (error.word === "signature") this.#state.show({ forged: this.view.forged + 1 });
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
        return this.history.hear(payload);
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
    if (this.view.door !== door) this.#state.show({ door });
  }

  async #hello(payload: Bytes): Promise<void> {
    const { record } = this.#state;
    const known = record.verifyKey;
    let hello;
    try {
      hello = await readHello(payload, record.door, known);
    } catch (error) {
      if (error instanceof Refused && error.word === "signature" && known) await this.#state.trouble("stranger", 0);
      throw error;
    }
    const { joining } = record;
    if (joining?.secret && !known && !knowsSecret(hello, joining.secret)) return; // whoever it is: nothing of it is believed
    const fresh = !this.#clock.epoch || !same(this.#clock.epoch, hello.epoch);
    // An epoch that the door itself has confirmed is given up only when the door confirms another: a broker can replay the
    // hello of yesterday, and then yesterday's ring.
    if (!this.#clock.asked) this.#clock.begin(hello.epoch);
    const { journal, isOther } = this.history.named(hello.journal);
    await this.#state.keep({ verifyKey: hello.verifyKey, boxKey: hello.boxKey, journal });
    if (joining && !known)
      await this.#state.keep({ known: joining.secret ? "paired" : "first", joining: { ...joining, ticket: null, step: "asking" } });
    this.history.begin(hello.verifyKey);
    if (fresh || isOther) {
      this.#state.show({ answers: false });
      void (this.#state.record.joining?.step === "asking" ? this.entering.knock() : this.greet());
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
      await this.history.catchUp();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.word !== "silence" || tries <= 1) return;
      clearTimeout(this.#greetAgain);
      this.#greetAgain = setTimeout(() => void this.greet(tries - 1), AGAIN_AFTER_MS * (1 + GREETINGS - tries));
    } finally {
      this.history.goOn();
    }
  }

  /** How the door is now, in its own words. Raises Refused. */
  async refresh(): Promise<void> {
    const { result } = await this.asking.ask("hello");
    await this.#roster(result["roster"]);
    const role = result["role"] === "admin" ? "admin" : "member";
    const recording = typeof result["recording"] === "boolean" ? result["recording"] : this.view.recording;
    this.#state.show({ answers: true, removed: false, role, recording, health: readHealth(result["health"]), heardAt: Date.now() });
  }

  async #roster(document: unknown): Promise<void> {
    const { record } = this.#state;
    if (typeof document !== "object" || document === null || !record.verifyKey) return;
    const present = record.roster && knownRoster(record.roster);
    const { roster, trouble } = await follow(document, record.door, record.verifyKey, present, record.owner ?? null);
    if (roster) await this.#state.keep({ roster: roster.document });
    if (trouble) await this.#state.trouble(trouble, knownRoster(document).revision);
  }

  async #alert(payload: Bytes): Promise<void> {
    const { record } = this.#state;
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
      this.#state.show({ ringing });
      clearTimeout(this.#ringEnds);
      this.#ringEnds = setTimeout(() => this.#state.show({ ringing: null }), RINGS_FOR_MS);
    }
    await this.#state.keep({ rung: this.#bell.rung }); // shown first; a broker that says it again finds it known after a reload too
  }

  async #poster(visit: string, sealed: Bytes): Promise<void> {
    const came = await this.#posters.take(visit, sealed);
    if (came === "taken") this.#state.show({});
    if (came === "doubted") await this.#state.trouble("poster", 0);
  }

  async #reply(payload: Bytes): Promise<void> {
    const toOwner = await this.entering.hear(payload);
    if (toOwner) await this.history.look(toOwner);
    else
      await this.asking.hear(payload, (reply) => {
        // Not while it asks to be let in: then it is none yet.
        if (reply.refused === "member" && this.#state.record.joining?.step !== "asking") this.#state.show({ removed: true, answers: false, role: null });
        return this.history.look(reply);
      });
  }

  #link(link: LinkState): void {
    if (link !== "online") {
      this.asking.giveUp();
      this.entering.giveUp();
      this.#state.show({ link, door: "unknown" });
    } else {
      this.#state.show({ link });
      for (const here of [...this.#returns]) here();
      if (this.#clock.epoch) void this.greet();
    }
  }

  #facts() {
    const { door, verifyKey, boxKey, roster } = this.#state.record;
    return verifyKey && boxKey ? { door, verifyKey, boxKey, roster: roster ? knownRoster(roster).revision : 0 } : null;
  }
}
