/** A door and a phone of the tests' own: what they sign and seal is what the formats say, made with the same libraries. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { Opener, seal } from "../src/door/age";
import { base64, type Bytes, join, utf8 } from "../src/door/bytes";
import { ageLine, recipientOf } from "../src/door/identity";
import { type Entry, beginning, entryHash, readDocument } from "../src/door/journal";
import { hashOf, type Kind, labelled } from "../src/door/sign";

export const SECRET = new Uint8Array(32).fill(3);
export const RECIPIENT = recipientOf(SECRET);
export const opener = new Opener(ageLine(SECRET));
export const EPOCH = new Uint8Array(16).fill(9);
export const JOURNAL = new Uint8Array(16).fill(5);

export class TestDoor {
  readonly seed: Bytes;
  readonly verifyKey: Bytes;
  readonly #entries: Entry[] = [];

  constructor(number = 1) {
    this.seed = new Uint8Array(32).fill(number);
    this.verifyKey = ed25519.getPublicKey(this.seed) as Bytes;
  }

  sign(kind: Kind, text: Bytes): Bytes {
    return ed25519.sign(labelled(kind, text), this.seed) as Bytes;
  }

  hello(changed: object = {}): Bytes {
    const facts = { v: 1, door: "front", software: "1", verify_key: base64(this.verifyKey), box_key: base64(new Uint8Array(32)), epoch: base64(EPOCH), journal: base64(JOURNAL), ...changed };
    const json = JSON.stringify(facts);
    return utf8(JSON.stringify({ json, sig: base64(this.sign("hello", utf8(json))) }));
  }

  async alert(changed: object = {}, kind: Kind = "alert"): Promise<Bytes> {
    const facts = { v: 1, door: "front", kind: "ring", visit: "aaaa", epoch: base64(EPOCH), uptime: 100, at: "2026-03-01T07:30:00Z", clock: "synced", ...changed };
    const text = utf8(JSON.stringify(facts));
    return seal(join(this.sign(kind, text), text), [RECIPIENT]);
  }

  /** The next entry of this door's journal. */
  entry(body: Bytes = new Uint8Array([this.#entries.length])): Entry {
    const last = this.#entries.at(-1) ?? beginning(JOURNAL, this.verifyKey);
    const index = last.index + 1;
    const hash = entryHash(index, last.hash, hashOf(body));
    const sig = ed25519.sign(labelled("sign-entry", hash), this.seed);
    const text = JSON.stringify({ index, prev: base64(last.hash), body: base64(body), sig: base64(sig) });
    const entry = readDocument(utf8(text));
    this.#entries.push(entry);
    return entry;
  }
}
