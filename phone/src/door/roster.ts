/** The household as the door follows it: signed revisions, each by an admin of the one before (docs/formats/roster.md). */

import { type Bytes, base64, same, unbase64, utf8 } from "./bytes";
import { memberId, recipientPoint } from "./identity";
import { isCount, readObject } from "./json";
import { Refused } from "./refused";
import { hashOf, labelled, type Signer, signed } from "./sign";

export const MOST_MEMBERS = 16;
const MOST_TEXT = 6 * 1024;

export type Role = "admin" | "member";

export interface Member {
  readonly name: string;
  readonly role: Role;
  readonly recipient: string;
  readonly verifyKey: Bytes;
  readonly id: string;
}

export interface Roster {
  readonly door: string;
  readonly revision: number;
  readonly prev: Bytes;
  readonly members: readonly Member[];
  readonly signer: string;
  readonly hash: Bytes;
  readonly document: SignedText;
}

export interface SignedText {
  readonly json: string;
  readonly sig: string;
}

/**
 * The revision that *document* holds, if it may follow *present*; without *present*, revision 1, signed by the door.
 * Raises Refused with the word of the rule that it breaks.
 */
export async function acceptRoster(document: unknown, door: string, doorKey: Bytes, present: Roster | null): Promise<Roster> {
  const { roster, text, sig } = readRoster(document);
  const refuse = (word: string): never => {
    throw new Refused(word);
  };
  if (roster.door !== door) refuse("door");
  if (roster.revision !== (present?.revision ?? 0) + 1) refuse("revision");
  if (!same(roster.prev, present?.hash ?? new Uint8Array(32)))
    refuse(present ? "prev" : "revision");
  const key = present ? adminKey(roster, present) : roster.signer === "door" ? doorKey : null;
  if (present && !sameMember(roster.members[0]!, present.members[0]!)) refuse("owner");
  if (!key) return refuse("signer");
  if (!(await signed("roster", text, sig, key))) refuse("signature");
  return roster;
}

/** A revision that this phone has accepted and kept itself. Raises Refused. */
export function knownRoster(document: unknown): Roster {
  return readRoster(document).roster;
}

/** Whether an admin of *present* signed *later*, whatever lies between the two. */
export async function signedByAdmin(later: Roster, present: Roster): Promise<boolean> {
  const { json, sig } = later.document;
  const key = adminKey(later, present);
  return key !== null && signed("roster", utf8(json), unbase64(sig)!, key);
}

function adminKey(roster: Roster, present: Roster): Bytes | null {
  const signer = present.members.find((one) => one.id === roster.signer);
  return signer?.role === "admin" ? signer.verifyKey : null;
}

/** Whether two have the same keys, whatever they are called. */
export function sameMember(a: Pick<Member, "recipient" | "verifyKey">, b: Pick<Member, "recipient" | "verifyKey">): boolean {
  return a.recipient === b.recipient && same(a.verifyKey, b.verifyKey);
}

/** Only the shape. Raises Refused: schema, nobody, owner. */
function readRoster(document: unknown): { roster: Roster; text: Bytes; sig: Bytes } {
  const refuse = (): never => {
    throw new Refused("schema");
  };
  if (!isPlain(document) || !hasExactly(document, ["json", "sig"])) return refuse();
  const { json } = document;
  const sig = unbase64(document["sig"]);
  if (typeof json !== "string" || !json.isWellFormed() || sig?.length !== 64) return refuse();
  const text = utf8(json);
  const found = text.length <= MOST_TEXT ? readObject(json) : null;
  if (!found || !hasExactly(found, ["door", "revision", "prev", "members", "signer"])) return refuse();
  const { door, revision, members: rows, signer } = found;
  const prev = unbase64(found["prev"]);
  if (typeof door !== "string" || !/^[a-z0-9-]{1,32}$/.test(door) || !isCount(revision) || prev?.length !== 32) return refuse();
  // JSON.parse cannot tell 2.0 from 2, the door can and refuses it.
  if (!/"revision"\s*:\s*[0-9]+\s*[,}]/.test(json)) return refuse();
  if (typeof signer !== "string" || !/^(door|[a-z2-7]{26})$/.test(signer)) return refuse();
  if (!Array.isArray(rows) || rows.length > MOST_MEMBERS) return refuse();
  const members = rows.map((row) => readMember(row) ?? refuse());
  if (members.length === 0) throw new Refused("nobody");
  if (members[0]!.role !== "admin") throw new Refused("owner");
  for (const each of [members.map((one) => one.recipient), members.map((one) => one.id)])
    if (new Set(each).size !== members.length) return refuse();
  const hash = hashOf(text);
  return { roster: { door, revision, prev, members, signer, hash, document: { json, sig: base64(sig) } }, text, sig };
}

function readMember(value: unknown): Member | null {
  if (!isPlain(value) || !hasExactly(value, ["name", "role", "recipient", "verify_key"])) return null;
  const { name, role, recipient } = value;
  const verifyKey = unbase64(value["verify_key"]);
  if (typeof name !== "string" || !name.isWellFormed() || [...name].length < 1 || [...name].length > 32) return null;
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name) || (role !== "admin" && role !== "member")) return null;
  if (typeof recipient !== "string" || !recipientPoint(recipient) || verifyKey?.length !== 32) return null;
  return { name, role, recipient, verifyKey, id: memberId(verifyKey) };
}

/** The revision behind *present* with other *members*, signed; as it travels in the command `roster`. */
export async function nextRoster(present: Roster, members: readonly Member[], signer: Signer): Promise<SignedText> {
  const json = JSON.stringify({
    door: present.door,
    revision: present.revision + 1,
    prev: base64(present.hash),
    members: members.map(({ name, role, recipient, verifyKey }) => ({ name, role, recipient, verify_key: base64(verifyKey) })),
    signer: memberId(signer.verifyKey),
  });
  return { json, sig: base64(await signer.sign(labelled("roster", utf8(json)))) };
}

function isPlain(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasExactly(value: object, keys: string[]): boolean {
  const found = Object.keys(value);
  return found.length === keys.length && keys.every((key) => found.includes(key));
}
