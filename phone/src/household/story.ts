/** Entries of the journal told as visits: who rang, what was filmed, what became of the clip. */

import { type Body } from "../door/journal";

export interface ClipFact {
  readonly id: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly seconds: number;
  readonly posterSha256: string;
  readonly state: "recording" | "kept" | "cut" | "deleted" | "vanished";
  readonly why: string;
}

export interface Visit {
  readonly id: string;
  /** Index of its first entry, in the order of all journals: see `add`. */
  readonly index: number;
  /** Label of its first sign, RFC 3339. */
  readonly at: string;
  readonly synced: boolean;
  readonly rings: number;
  readonly seconds: number;
  readonly clips: readonly ClipFact[];
}

export interface Line {
  readonly index: number;
  /** Null when the body was forgotten, or is not sealed to this phone. */
  readonly body: Body | null;
}

/** What becomes of a clip only goes this way, so it matters not in which order its entries are told. */
const ORDER: readonly ClipFact["state"][] = ["recording", "kept", "cut", "vanished", "deleted"];

/** Room for the entries of one journal, where those of all are in one order. */
export const ERA = 2 ** 32;

/** Grows entry by entry, in any order; `visits` is a new list whenever one changed, newest first. */
export class Story {
  readonly #visits = new Map<string, Visit>();
  readonly #ofClip = new Map<string, string>();
  readonly #orphans = new Map<string, [number, Body, Partial<ClipFact>][]>();
  readonly lines = new Map<number, Line>();
  #told: readonly Visit[] | null = null;
  #entries: readonly Line[] | null = null;
  /** In the order of all journals: what the door has forgotten ends here. */
  forgotten = 0;
  readonly #last = new Map<string, number>(); // by visit, the last entry that names it
  readonly #rung = new Map<string, number>(); // by visit, its entries of a ring
  readonly #began = new Map<string, { who: string; index: number }>();
  readonly #ended = new Set<string>();
  #started = 0; // the last start of the door: no session outlives one
  #opened = Infinity; // the first entry that this phone opens, and the first that is sealed to others only
  #sealed = Infinity;

  get visits(): readonly Visit[] {
    this.#told ??= [...this.#visits.values()].sort((a, b) => b.index - a.index);
    return this.#told;
  }

  /** Every entry, newest first. */
  get entries(): readonly Line[] {
    this.#entries ??= [...this.lines].sort(([a], [b]) => b - a).map(([, line]) => line);
    return this.#entries;
  }

  /** Who watches live: sessions that began since the door's last start, and of which no end was told. */
  get watching(): string[] {
    const open = [...this.#began].filter(([session, { index }]) => index > this.#started && !this.#ended.has(session));
    return [...new Set(open.map(([, { who }]) => who))];
  }

  /** Whether there are entries from before this phone joined: history begins for it then, and not with the door. */
  get joinedLater(): boolean {
    return this.#sealed < this.#opened;
  }

  visitOfClip(clip: string): Visit | undefined {
    return this.#visits.get(this.#ofClip.get(clip) ?? "");
  }

  /** The entry by which the journal of *era* says that it keeps *clip*; null where it does not, or does no longer. */
  keeps(clip: string, era: number): number | null {
    const state = this.visitOfClip(clip)?.clips.find((one) => one.id === clip)?.state;
    if (state !== "kept" && state !== "cut") return null;
    for (const [at, { index, body }] of this.lines)
      if (at >= era * ERA && body?.["id"] === clip && ["clip", "clip_cut"].includes(body.kind)) return index;
    return null;
  }

  /**
   * Whether the entry tells that clips went away without having been deleted. *era*: how many journals the door had before the
   * entry's own; each counts from 1 again. *sealed*: there is a body, for others only.
   */
  add(counted: number, body: Body | null, era = 0, sealed = false): boolean {
    const index = era * ERA + counted;
    if (this.lines.has(index)) return false;
    this.lines.set(index, { index: counted, body });
    this.#entries = null;
    if (sealed) this.#sealed = Math.min(this.#sealed, index);
    if (!body) return false;
    this.#opened = Math.min(this.#opened, index);
    const { kind } = body;
    const [id, visit] = [text(body["id"]), text(body["visit"])];
    if (visit) this.#last.set(visit, Math.max(index, this.#last.get(visit) ?? 0));
    if (kind === "forgotten") this.forgotten = Math.max(this.forgotten, era * ERA + Math.min(number(body["before"]), counted));
    if (kind === "ring") {
      const rung = (this.#rung.get(visit) ?? 0) + 1;
      this.#rung.set(visit, rung);
      this.#change(index, body, (one) => ({ ...one, rings: Math.max(one.rings, rung) }));
    }
    // Its ring may be sealed to others: a phone that joins while somebody stands there opens the visit's end only.
    if (kind === "visit")
      this.#change(index, body, (one) => ({ ...one, seconds: number(body["seconds"]), rings: Math.max(one.rings, number(body["presses"])) }));
    if (kind === "started" || kind === "stopped") this.#started = Math.max(this.#started, index);
    if (kind === "live" && body["what"] === "began") this.#began.set(text(body["session"]), { who: text(body["who"]), index });
    if (kind === "live" && body["what"] === "ended") this.#ended.add(text(body["session"]));
    if (kind === "clip_started" && id) this.#clip(index, body, { state: "recording" });
    if (kind === "clip" && id)
      this.#clip(index, body, {
        state: "kept",
        bytes: number(body["bytes"]),
        sha256: text(body["sha256"]),
        seconds: number(body["seconds"]),
        posterSha256: text(body["poster_sha256"]),
      });
    if (kind === "clip_cut" && id)
      this.#clip(index, body, {
        state: number(body["bytes"]) > 0 ? "cut" : "deleted",
        bytes: number(body["bytes"]),
        sha256: text(body["sha256"]),
        posterSha256: text(body["poster_sha256"]),
        why: text(body["why"]),
      });
    if (kind === "clip_deleted" && id) this.#clip(index, body, { state: "deleted", why: text(body["why"]) });
    if (kind !== "storage" || body["what"] !== "vanished" || !Array.isArray(body["clips"])) return false;
    for (const clip of body["clips"].map(text)) this.#clip(index, { ...body, id: clip }, { state: "vanished" });
    return true;
  }

  /** What stands before `forgotten` is told no more, as the door's retention says; the visits that were all of it. */
  forget(): string[] {
    for (const [at, { index, body }] of this.lines) if (body && at < this.forgotten) this.lines.set(at, { index, body: null });
    const gone = [...this.#last].filter(([, last]) => last < this.forgotten).map(([visit]) => visit);
    for (const visit of gone) {
      this.#last.delete(visit);
      this.#rung.delete(visit);
      this.#visits.delete(visit);
    }
    this.#told = this.#entries = null;
    return gone;
  }

  visit(id: string): Visit | undefined {
    return this.#visits.get(id);
  }

  #clip(index: number, body: Body, fact: Partial<ClipFact>): void {
    const id = text(body["id"]);
    const visit = text(body["visit"]) || this.#ofClip.get(id);
    if (!visit) {
      // Its beginning is told later, or was before this phone.
      this.#orphans.set(id, [...(this.#orphans.get(id) ?? []), [index, body, fact]]);
      return;
    }
    this.#ofClip.set(id, visit);
    this.#change(index, { ...body, visit }, (one) => {
      const before = one.clips.find((clip) => clip.id === id) ?? {
        id, bytes: 0, sha256: "", seconds: 0, posterSha256: "", state: "recording" as const, why: "",
      };
      const state = [before.state, fact.state!].sort((a, b) => ORDER.indexOf(b) - ORDER.indexOf(a))[0]!;
      return { ...one, clips: [...one.clips.filter((clip) => clip.id !== id), { ...before, ...fact, state }] };
    });
    const waiting = this.#orphans.get(id) ?? [];
    this.#orphans.delete(id);
    for (const [at, told, more] of waiting) this.#clip(at, told, more);
  }

  #change(index: number, body: Body, how: (visit: Visit) => Visit): void {
    const id = text(body["visit"]);
    if (!id) return;
    const fresh = { id, index, at: body.at, synced: body.clock === "synced", rings: 0, seconds: 0, clips: [] };
    const known = this.#visits.get(id) ?? fresh;
    const first = index < known.index ? { ...known, index, at: fresh.at, synced: fresh.synced } : known;
    this.#visits.set(id, how(first));
    this.#told = null;
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
