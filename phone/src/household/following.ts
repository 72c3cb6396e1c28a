/**
 * Which household this phone believes the door. The door tells only the revision in force, so one that lies further ahead than the
 * next is believed as far as somebody signed it who was an admin when this phone looked last (docs/formats/roster.md).
 */

import type { Bytes } from "../door/bytes";
import { same } from "../door/bytes";
import { Refused } from "../door/refused";
import { acceptRoster, knownRoster, type Member, type Roster, sameMember, signedByAdmin } from "../door/roster";

export interface Followed {
  /** The one to keep from now on; null: the one that is known stays. */
  readonly roster: Roster | null;
  /** What a person has to look at: a change that nobody vouches for, or a household that is not believed. */
  readonly trouble: "household" | "roster" | null;
}

const STAYS: Followed = { roster: null, trouble: null };
const DENIED: Followed = { roster: null, trouble: "roster" };

/**
 * *owner*: whom the invitation named, for a phone that knows no household yet (null: it named nobody). Raises Refused for what is
 * no roster at all.
 */
export async function follow(
  document: unknown,
  door: string,
  doorKey: Bytes,
  present: Roster | null,
  owner: Pick<Member, "recipient" | "verifyKey"> | null,
): Promise<Followed> {
  const told = knownRoster(document);
  if (present?.revision === told.revision) return same(told.hash, present.hash) ? STAYS : DENIED;
  const first = present?.members[0] ?? owner;
  if (told.door !== door || (first && !sameMember(told.members[0]!, first))) return DENIED;
  if (told.revision === (present?.revision ?? 0) + 1) return next(document, door, doorKey, present);
  if (!present) return { roster: told, trouble: null }; // by an admin whom only the household knows
  if (told.revision < present.revision) return DENIED;
  return { roster: told, trouble: (await signedByAdmin(told, present)) ? null : "household" };
}

async function next(document: unknown, door: string, doorKey: Bytes, present: Roster | null): Promise<Followed> {
  try {
    return { roster: await acceptRoster(document, door, doorKey, present), trouble: null };
  } catch (error) {
    if (error instanceof Refused) return DENIED;
    throw error;
  }
}
