/**
 * How this phone gets into the household: it shows the door that it has the secret, or the owner's words sign for it, and it asks
 * until the door answers, which it does to members only.
 *
 * The owner's key opens everything and cannot be revoked, so it never becomes this phone's. It signs one revision of the roster
 * here, in memory, and is gone; what the phone keeps are keys of its own, which any admin can take out again.
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { Opener } from "../door/age";
import { type Bytes, same } from "../door/bytes";
import type { Reply } from "../door/command";
import { ageLine, memberId, signingSeed } from "../door/identity";
import type { Fields } from "../door/json";
import { Refused } from "../door/refused";
import { knownRoster, type Member, nextRoster, type Roster } from "../door/roster";
import type { Signer } from "../door/sign";
import type { Keys } from "../keep/keys";
import type { Asking } from "./asking";
import { joinRequest, membersWith } from "./joining";
import type { DoorState } from "./state";

const AGAIN_AFTER_MS = 2000;
const WORDS_TRIES = 3; // the door answers one hello a second, and the broker may lose one

/** What it needs of the connection. */
export interface Threshold {
  /** Says that this phone asks to be let in. */
  knock(request: Bytes): void;
  /** As this phone asks, in somebody else's name: on this phone's topics, for a login may use no other. */
  askAs(signer: Signer, opener: Opener): Asking;
  /** The door's answer to `hello`, and the household that it tells. Raises Refused. */
  hello(): Promise<void>;
  entered(): void;
}

interface Owner {
  readonly signer: Signer;
  readonly asking: Asking;
  readonly forget: () => void;
}

export class Entering {
  #knocking = false;
  #owner: Owner | null = null;

  constructor(
    private readonly keys: Keys,
    private readonly state: DoorState,
    private readonly door: Threshold,
  ) {}

  /** Ask to be let in until the door answers. */
  async knock(): Promise<void> {
    if (this.#knocking) return;
    this.#knocking = true;
    try {
      while (this.state.record.joining?.step === "asking" && !this.state.closed) {
        const { joining, boxKey } = this.state.record;
        if (joining.secret) this.door.knock(joinRequest(joining, joining.secret, this.keys, boxKey!));
        try {
          await this.#enter();
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          await new Promise((resume) => setTimeout(resume, AGAIN_AFTER_MS));
        }
      }
    } finally {
      this.#knocking = false;
    }
  }

  async #enter(): Promise<void> {
    await this.door.hello();
    const { joining, roster } = this.state.record;
    if (joining?.step !== "asking") return;
    const first = roster !== null && knownRoster(roster).members.length <= 2;
    await this.state.keep({ joining: joining.words && first ? { ...joining, step: "in" } : null });
    this.door.entered();
  }

  /** Set-up is over. */
  settled(): Promise<void> {
    return this.state.keep({ joining: null });
  }

  // ---- by the owner's words

  /** The household as the door tells it to its owner, whose 32 bytes these are, until `forget`. Raises Refused. */
  async words(secret: Uint8Array): Promise<Roster> {
    this.forget();
    const seed = signingSeed(secret);
    const verifyKey = ed25519.getPublicKey(seed) as Bytes;
    const signer = { verifyKey, sign: (message: Bytes) => Promise.resolve(ed25519.sign(message, seed) as Bytes) };
    const asking = this.door.askAs(signer, new Opener(ageLine(secret)));
    this.#owner = { signer, asking, forget: () => [secret, seed].forEach((key) => key.fill(0)) };
    try {
      const present = knownRoster((await hello(asking))["roster"]);
      if (present.door !== this.state.record.door || !same(present.members[0]!.verifyKey, verifyKey)) throw new Refused("words");
      return present;
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** The owner signs the revision that lets this phone in, and those out whose ids are in *lost*. Raises Refused. */
  async letIn(present: Roster, lost: ReadonlySet<string>): Promise<void> {
    const { joining } = this.state.record;
    if (!this.#owner || !joining) throw new Refused("words_again");
    const { recipient, signer } = this.keys;
    const me: Member = { name: joining.name, role: "admin", recipient, verifyKey: signer.verifyKey, id: memberId(signer.verifyKey) };
    const staying = present.members.filter((one) => !lost.has(one.id));
    const document = await nextRoster(present, membersWith({ ...present, members: staying }, me), this.#owner.signer);
    await this.#owner.asking.ask("roster", { document });
    this.forget();
    const { recipient: owner, verifyKey } = present.members[0]!;
    await this.state.keep({ roster: document, owner: { recipient: owner, verifyKey } });
    await this.#enter().catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error; // `knock` asks again
    });
  }

  /** Nothing of the owner's key stays. */
  forget(): void {
    this.#owner?.asking.giveUp();
    this.#owner?.forget();
    this.#owner = null;
  }

  /** A reply, when it is one to the owner. */
  async hear(payload: Bytes): Promise<Reply | null> {
    try {
      return (await this.#owner?.asking.hear(payload)) ?? null;
    } catch (error) {
      if (error instanceof Refused) return null; // to this phone, perhaps
      throw error;
    }
  }

  /** The connection is gone. */
  giveUp(): void {
    this.#owner?.asking.giveUp();
  }
}

async function hello(asking: Asking): Promise<Fields> {
  for (let tries = WORDS_TRIES; ; tries--) {
    try {
      return (await asking.ask("hello")).result;
    } catch (error) {
      if (!(error instanceof Refused) || error.word !== "silence") throw error;
      if (tries <= 1) throw new Refused("words_silence");
    }
  }
}
