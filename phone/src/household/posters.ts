/**
 * The posters of one door's visits, sealed as they came. One is believed as far as the journal names its hash, and is here no
 * longer than at the door: it goes with its clip, and with what the door forgets.
 */

import { type Bytes, hex, unbase64 } from "../door/bytes";
import { Refused } from "../door/refused";
import { hashOf } from "../door/sign";
import { type Cupboard, under } from "../keep/cupboard";
import type { Asking } from "./asking";
import type { ClipFact, Story } from "./story";
import { Turns } from "./turns";

const MOST_BYTES = 24_576;
const AT_ONCE = 4; // a thumb scrolls past hundreds, and the door hears no more than 50 questions a second
const MOST_WAITING = 40; // more than any screen has rows

interface Kept {
  readonly sealed: Bytes;
  readonly sha256: string;
}

export class Posters {
  readonly #here = new Map<string, Kept>();
  readonly #asked = new Set<string>(); // clips whose poster was asked for
  readonly #turns = new Turns(AT_ONCE, MOST_WAITING);

  constructor(
    private readonly door: string,
    private readonly story: Story,
    private readonly cupboard: Cupboard,
    private readonly asking: Asking,
  ) {}

  /** What came for *visit*: `taken`; `doubted` when the journal names another; `nothing` when it is known or none. */
  async take(visit: string, sealed: Bytes): Promise<"taken" | "doubted" | "nothing"> {
    if (!/^[a-z2-7]{1,40}$/.test(visit) || sealed.length > MOST_BYTES || this.#here.has(visit)) return "nothing";
    const kept = { sealed, sha256: hex(hashOf(sealed)) };
    if (!this.#mayBe(visit, kept.sha256)) return "doubted";
    if (this.#isDeleted(visit, kept.sha256)) return "nothing";
    this.#here.set(visit, kept);
    await this.cupboard.put("posters", [[[this.door, visit], kept]]);
    return "taken";
  }

  /** The poster that this phone has, or null. */
  async kept(visit: string): Promise<Bytes | null> {
    const kept = this.#here.get(visit) ?? (await this.#fetch(visit));
    if (kept) this.#here.set(visit, kept);
    return kept?.sealed ?? null;
  }

  /** What the door gives when it is asked for the poster, or null: it is asked again only where it did not answer. */
  async ask(visit: string): Promise<Bytes | null> {
    const clip = this.#clips(visit).find((one) => one.posterSha256 && one.state !== "deleted");
    if (!clip || this.#asked.has(clip.id)) return null;
    this.#asked.add(clip.id);
    try {
      const answer = await this.#turns.take(() => this.asking.ask("poster", { clip: clip.id }));
      if (!answer) this.#asked.delete(clip.id); // its row is far from the screen by now
      return unbase64(answer?.result["poster"]);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.word === "silence" || error.word === "offline") this.#asked.delete(clip.id);
      return null;
    }
  }

  /**
   * The journal says more of *visit* now. The poster here is gone when that shows it to be another's, `doubted`, or when its clip
   * was `deleted`.
   */
  async review(visit: string): Promise<"doubted" | "deleted" | "stays"> {
    const kept = this.#here.get(visit) ?? (this.#hasDeleted(visit) ? await this.#fetch(visit) : undefined);
    if (!kept) return "stays";
    const doubted = !this.#mayBe(visit, kept.sha256);
    if (!doubted && !this.#isDeleted(visit, kept.sha256)) return "stays";
    await this.forget([visit]);
    return doubted ? "doubted" : "deleted";
  }

  async forget(visits: readonly string[]): Promise<void> {
    for (const visit of visits) {
      this.#here.delete(visit);
      await this.cupboard.remove("posters", [this.door, visit]);
    }
  }

  /** After all that is kept was told: what lies here and should not, because the app ended in between. How many went. */
  async sweep(): Promise<number> {
    let gone = 0;
    for (const key of await this.cupboard.keys("posters", under(this.door))) {
      const visit = String((key as unknown[])[1]);
      const unknown = !this.story.visit(visit) && !this.#here.has(visit);
      if (unknown) await this.forget([visit]);
      if (unknown || (await this.review(visit)) !== "stays") gone++;
    }
    return gone;
  }

  #fetch(visit: string): Promise<Kept | undefined> {
    return this.cupboard.get<Kept>("posters", [this.door, visit]);
  }

  #hasDeleted(visit: string): boolean {
    return this.#clips(visit).some((clip) => clip.state === "deleted" && clip.posterSha256);
  }

  #isDeleted(visit: string, sha256: string): boolean {
    const its = this.#clips(visit).filter((clip) => clip.posterSha256 === sha256);
    return its.length > 0 && its.every((clip) => clip.state === "deleted");
  }

  #clips(visit: string): readonly ClipFact[] {
    return this.story.visit(visit)?.clips ?? [];
  }

  #mayBe(visit: string, sha256: string): boolean {
    const named = this.#clips(visit).map((clip) => clip.posterSha256).filter(Boolean);
    return named.length === 0 || named.includes(sha256);
  }
}
