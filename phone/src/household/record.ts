/** What a phone keeps of a door, and what it shows of it. */

import type { Bytes } from "../door/bytes";
import type { FaultWord, Head } from "../door/journal";
import type { Member, SignedText } from "../door/roster";
import type { LinkState } from "../link/broker";
import type { Alert } from "../door/alert";
import type { Health } from "./health";
import type { Joining } from "./joining";
import type { Visit } from "./story";

/** As it lies in IndexedDB, under the door's id. */
export interface DoorRecord {
  readonly door: string;
  readonly name: string;
  readonly broker: string;
  readonly login: string;
  readonly password: string;
  readonly clientId: string;
  /** The key all that this door says is signed with; null until its first hello. */
  readonly verifyKey: Bytes | null;
  /** How the key became known: by the pairing secret, or only by being the first that answered. */
  readonly known: "paired" | "first" | "compared";
  readonly boxKey: Bytes | null;
  readonly journal: Bytes | null;
  /** Ids of the journals before it: another card, or before a restore. What they told is still shown. */
  readonly former?: readonly Bytes[];
  /** The last verified entry, and the first that this phone has. */
  readonly head: Head | null;
  readonly anchor: number;
  /** Up to where the door's forgetting was followed here, in the order of all journals. */
  readonly forgotten?: number;
  /** The household's owner, as the invitation named them. */
  readonly owner?: Pick<Member, "recipient" | "verifyKey"> | undefined;
  readonly roster: SignedText | null;
  readonly faults: readonly Trouble[];
  readonly silentUntil: number;
  /** The visits for which this phone rang last: each rings once. */
  readonly rung?: readonly string[];
  readonly liveSessions: number;
  /** While this phone is on its way into the household. */
  readonly joining?: Joining | null;
}

/** A red banner. It stays until a person has put it away. */
export interface Trouble {
  readonly what: FaultWord | "missing" | "vanished" | "poster" | "clip" | "gone" | "stranger" | "anew" | "household" | "roster";
  readonly index: number;
  /** Wall clock of this phone, milliseconds. */
  readonly seen: number;
}

/** A ring that is on the screen, or was missed. */
export interface Ringing extends Alert {
  /** Wall clock of this phone, milliseconds. */
  readonly heard: number;
}

/** Everything a screen shows of one door; replaced, never changed. */
export interface DoorView {
  readonly record: DoorRecord;
  readonly link: LinkState;
  /** What the broker says of the door: its last will is `offline`. */
  readonly door: "unknown" | "online" | "offline";
  readonly recording: boolean | null;
  /** As the door said it itself, in its last answer to `hello`. */
  readonly health: Health | null;
  /** When the door last answered this phone, by its wall clock in milliseconds; 0: not since the app was opened. */
  readonly heardAt: number;
  /** Member ids of who watches live now, as the journal tells it. */
  readonly watching: readonly string[];
  readonly ringing: Ringing | null;
  readonly visits: readonly Visit[];
  /** The door's history is longer than what this phone opens: what was before it joined is sealed to others. */
  readonly joinedLater: boolean;
  /** How many pictures were here and are no more: what shows one looks again. */
  readonly withdrawn: number;
  readonly entries: number;
  readonly missing: number;
  readonly verifiedTo: number;
  readonly forged: number;
  /** Whether the door has answered a command of this phone since it started. */
  readonly answers: boolean;
  readonly role: "admin" | "member" | null;
  /** The door said that this phone is a member no longer. */
  readonly removed: boolean;
}

export const NOBODY: Pick<DoorRecord, "verifyKey" | "boxKey" | "journal" | "head" | "anchor" | "roster" | "faults" | "silentUntil" | "liveSessions"> = {
  verifyKey: null,
  boxKey: null,
  journal: null,
  head: null,
  anchor: 0,
  roster: null,
  faults: [],
  silentUntil: 0,
  liveSessions: 0,
};
