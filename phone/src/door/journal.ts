/** The journal as a phone reads it: documents, the chain that joins them, and what stands inside (docs/formats/journal.md). */

import { type Bytes, fromUtf8, same, u64be, unbase64 } from "./bytes";
import { isCount, isNumber, readObject } from "./json";
import { Refused } from "./refused";
import { hashOf, labelled, SIGNATURE, verifies } from "./sign";

const MOST_DOCUMENT = 96 * 1024;
const MOST_BODY = 65_536;
const MOST_TEXT = 32_768;

/** One entry as it travels; `body` is null when it was forgotten. Index counts from 1. */
export interface Entry {
  readonly index: number;
  readonly prev: Bytes;
  readonly body: Bytes | null;
  readonly bodyHash: Bytes;
  readonly sig: Bytes;
  readonly hash: Bytes;
}

/** The last entry of a journal: what a phone remembers of it. */
export interface Head {
  readonly index: number;
  readonly hash: Bytes;
}

export type FaultWord = "gap" | "prev" | "body" | "signature" | "rewritten" | "behind";

export interface Fault {
  readonly index: number;
  readonly word: FaultWord;
}

/** An opened body. `at` is a label only; unknown keys and kinds stay. */
export interface Body {
  readonly kind: string;
  readonly at: string;
  readonly clock: "synced" | "unsynced";
  readonly boot: number;
  readonly uptime: number;
  readonly [key: string]: unknown;
}

/** Raises Refused. */
export function readDocument(bytes: Uint8Array): Entry {
  const refuse = (): never => {
    throw new Refused("damaged");
  };
  const text = bytes.length <= MOST_DOCUMENT ? fromUtf8(bytes) : null;
  const fields = (text === null ? null : readObject(text)) ?? refuse();
  const index = fields["index"];
  const prev = unbase64(fields["prev"]);
  const sig = unbase64(fields["sig"]);
  const forgotten = fields["body"] === null;
  const body = forgotten ? null : unbase64(fields["body"]);
  const bodyHash = forgotten ? unbase64(fields["body_hash"]) : body && hashOf(body);
  if (!isCount(index) || index === 0 || prev?.length !== 32 || sig?.length !== SIGNATURE || bodyHash?.length !== 32)
    return refuse();
  if (body && body.length > MOST_BODY) return refuse();
  return { index, prev, body, bodyHash, sig, hash: entryHash(index, prev, bodyHash) };
}

export function entryHash(index: number, prev: Uint8Array, bodyHash: Uint8Array): Bytes {
  return hashOf(labelled("entry", u64be(index), prev, bodyHash));
}

/** What entry 1 points to: this journal, of this door. */
export function firstPrev(journalId: Uint8Array, verifyKey: Uint8Array): Bytes {
  return hashOf(labelled("journal", journalId, verifyKey));
}

/** The head before entry 1. */
export function beginning(journalId: Uint8Array, verifyKey: Uint8Array): Head {
  return { index: 0, hash: firstPrev(journalId, verifyKey) };
}

/** Whether *entry* says of itself that it comes right behind *last*; `readDocument` made its hash of what it holds. */
export function joins({ index, prev }: Entry, last: Head): Fault | null {
  if (index !== last.index + 1) return { index, word: "gap" };
  return same(prev, last.hash) ? null : { index, word: "prev" };
}

/** Whether *entry* is the one that comes right behind *last* and the door signed it. */
export async function follows(entry: Entry, last: Head, verifyKey: Uint8Array): Promise<Fault | null> {
  const { index } = entry;
  const fault = joins(entry, last);
  if (fault) return fault;
  if (entry.body && !same(hashOf(entry.body), entry.bodyHash)) return { index, word: "body" };
  return (await isSigned(entry, verifyKey)) ? null : { index, word: "signature" };
}

/** Signed by the door, wherever in the chain it stands. */
export function isSigned(entry: Entry, verifyKey: Uint8Array): Promise<boolean> {
  return verifies(entry.sig, labelled("sign-entry", entry.hash), verifyKey);
}

/**
 * The first fault in *entries*, oldest first, or null. They begin right behind *after* (entry 1 without it). *seen* is a head
 * that this phone was told before: a journal that ends earlier was put back, one with another hash there was rewritten.
 */
export async function verifyChain(
  entries: readonly Entry[],
  journalId: Uint8Array,
  verifyKey: Uint8Array,
  after?: Head,
  seen?: Head,
): Promise<Fault | null> {
  let last = after ?? beginning(journalId, verifyKey);
  for (const entry of entries) {
    const fault = await follows(entry, last, verifyKey);
    if (fault) return fault;
    last = { index: entry.index, hash: entry.hash };
    if (seen?.index === last.index && !same(seen.hash, last.hash)) return { index: last.index, word: "rewritten" };
  }
  return seen && last.index < seen.index ? { index: last.index, word: "behind" } : null;
}

/** An opened body, unknown keys included. Raises Refused. */
export function readBody(plain: Uint8Array): Body {
  const text = plain.length <= MOST_TEXT ? fromUtf8(plain) : null;
  const fields = text === null ? null : readObject(text);
  const clock = fields?.["clock"];
  if (
    !fields ||
    fields["v"] !== 1 ||
    typeof fields["kind"] !== "string" ||
    typeof fields["at"] !== "string" ||
    (clock !== "synced" && clock !== "unsynced") ||
    !isCount(fields["boot"]) ||
    !isNumber(fields["uptime"])
  )
    throw new Refused("damaged");
  return fields as Body;
}
