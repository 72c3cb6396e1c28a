/** How this phone comes into a household: it shows the door that it has the secret, and asks until the door answers. */

import { sealBox } from "../door/box";
import { type Bytes, base64, unbase64, utf8 } from "../door/bytes";
import { memberId, recipientPoint } from "../door/identity";
import type { Fields } from "../door/json";
import { phoneMac } from "../door/pairing";
import { Refused } from "../door/refused";
import { type Member, MOST_MEMBERS, type Roster } from "../door/roster";
import type { Keys } from "../keep/keys";

/** Kept with the door until the phone is in. */
export interface Joining {
  /** Null: the owner's words let it in. */
  readonly secret: Bytes | null;
  /** What this phone is called in the household. */
  readonly name: string;
  /** What it shows to the door's camera; null when the door was paired, or its card was written, before. */
  readonly ticket: Bytes | null;
  /** Whether the owner's words still have to open a test clip before set-up is over; only the first phone's business. */
  readonly words: boolean;
  readonly step: "looking" | "asking" | "in";
}

/** What a phone sends to `pair`. */
export function joinRequest(one: Joining, secret: Bytes, keys: Keys, boxKey: Bytes): Bytes {
  const { recipient, signer } = keys;
  const mac = phoneMac(secret, recipientPoint(recipient)!, signer.verifyKey);
  const member = { name: one.name, role: "member", recipient, verify_key: base64(signer.verifyKey) };
  return sealBox(boxKey, utf8(JSON.stringify({ member, mac: base64(mac) })));
}

/**
 * Who asks to join, from the door's reply to `pairing`; null while nobody does. The MAC is checked here as well: an admin lets in
 * who had the secret, and not whom the door names. Raises Refused.
 */
export function whoAsks(result: Fields, secret: Bytes): Member | null {
  const [row] = Array.isArray(result["joining"]) ? result["joining"] : [];
  if (!row) return null;
  const member = row["member"] ?? {};
  const { name, recipient } = member;
  const [verifyKey, mac] = [unbase64(member["verify_key"]), unbase64(row["mac"])];
  const point = typeof recipient === "string" ? recipientPoint(recipient) : null;
  if (typeof name !== "string" || !point || verifyKey?.length !== 32 || !mac) throw new Refused("damaged");
  if (base64(mac) !== base64(phoneMac(secret, point, verifyKey)))
    throw new Refused("mac");
  return { name, role: "member", recipient: recipient as string, verifyKey, id: memberId(verifyKey) };
}

/** The members with *more*; a phone that is in already is renamed. Raises Refused. */
export function membersWith(present: Roster, more: Member): Member[] {
  const others = present.members.filter((one) => one.id !== more.id);
  if (others.length >= MOST_MEMBERS) throw new Refused("full");
  return [...others, more];
}
