/**
 * What takes long: opening clips, and reading, checking and opening the journal's entries. The work itself, wherever it is done;
 * in a browser that is a thread of its own (worker.ts), so that ten thousand entries do not hold up a finger.
 */

import { type Ending, type Identity, Opener } from "../door/age";
import { type Bytes, hex } from "../door/bytes";
import { type Body, type Entry, isSigned, readBody, readDocument } from "../door/journal";
import { Refused } from "../door/refused";

/** An entry as it was found. */
export interface Looked {
  /** Null when the document cannot be read at all. */
  readonly entry: Entry | null;
  /** Whether the door signed it; true without a look where none was asked for. */
  readonly signed: boolean;
  /** Null when it was forgotten, or is not sealed to this phone. */
  readonly body: Body | null;
}

export interface Opened {
  readonly ending: Ending;
  readonly plain: Bytes;
}

export interface Backroom {
  /** Documents as the broker or the shelf gives them. *verifyKey* null: they were checked before. */
  look(documents: readonly Bytes[], verifyKey: Bytes | null): Promise<Looked[]>;
  /** Raises Refused, `forged`, when the SHA-256 of the sealed bytes is not *sha256* (hex). */
  clip(sealed: Bytes, sha256: string): Promise<Opened>;
  open(sealed: Bytes): Promise<Opened>;
}

export class Work implements Backroom {
  readonly #opener: Opener;

  constructor(identity: Identity) {
    this.#opener = new Opener(identity);
  }

  async look(documents: readonly Bytes[], verifyKey: Bytes | null): Promise<Looked[]> {
    const found: Looked[] = [];
    for (const document of documents) found.push(await this.#look(document, verifyKey));
    return found;
  }

  async clip(sealed: Bytes, sha256: string): Promise<Opened> {
    const found = new Uint8Array(await crypto.subtle.digest("SHA-256", sealed)); // the browser's own: 10 MB would take half as long again
    if (hex(found) !== sha256) throw new Refused("forged");
    return this.open(sealed);
  }

  open(sealed: Bytes): Promise<Opened> {
    return this.#opener.open(sealed);
  }

  async #look(document: Bytes, verifyKey: Bytes | null): Promise<Looked> {
    let entry: Entry;
    try {
      entry = readDocument(document);
    } catch (error) {
      if (error instanceof Refused) return { entry: null, signed: false, body: null };
      throw error;
    }
    const signed = verifyKey === null || (await isSigned(entry, verifyKey));
    return { entry, signed, body: signed && entry.body ? await this.#read(entry.body) : null };
  }

  async #read(sealed: Bytes): Promise<Body | null> {
    const { ending, plain } = await this.#opener.open(sealed);
    try {
      return ending === "opens" ? readBody(plain) : null;
    } catch (error) {
      if (error instanceof Refused) return null; // a newer door's: the chain holds all the same
      throw error;
    }
  }
}
