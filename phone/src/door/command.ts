/** Commands to the door and its replies (section 5 of the wire formats). */

import type { Opener } from "./age";
import { type Bytes, base64, fromUtf8, join, same, unbase64, utf8 } from "./bytes";
import { sealBox } from "./box";
import type { Head } from "./journal";
import { type Fields, isCount, isNumber, readObject } from "./json";
import { Refused } from "./refused";
import { labelled, SIGNATURE, type Signer, signed } from "./sign";

export interface Command {
  readonly door: string;
  readonly from: string;
  readonly roster: number;
  readonly epoch: Bytes;
  /** Door uptime in seconds; a whole number, at most 60 ahead. */
  readonly expires: number;
  readonly counter: number;
  readonly id: Bytes;
  readonly cmd: string;
  readonly args: Fields;
}

/** The exact JSON of a command, as it is signed. */
export function commandText(command: Command): Bytes {
  const { door, from, roster, epoch, expires, counter, id, cmd, args } = command;
  return utf8(JSON.stringify({ v: 1, door, from, roster, epoch: base64(epoch), expires, counter, id: base64(id), cmd, args }));
}

/** What goes to `from/<phone>`. *ephemeral* only for vectors. */
export async function sealCommand(command: Command, signer: Signer, boxKey: Bytes, ephemeral?: Bytes): Promise<Bytes> {
  const text = commandText(command);
  const sig = await signer.sign(labelled("command", text));
  return sealBox(boxKey, join(sig, text), ephemeral);
}

export interface Reply {
  readonly id: Bytes;
  readonly epoch: Bytes;
  readonly uptime: number;
  readonly journal: Bytes;
  readonly head: Head | null;
  /** What the command gave, or null with `refused` naming why not. */
  readonly result: Fields | null;
  readonly refused: string | null;
}

/** Open and verify a reply to this phone. Raises Refused. */
export async function readReply(payload: Uint8Array, opener: Opener, verifyKey: Bytes, door: string, me: string): Promise<Reply> {
  const plain = await opener.openWhole(payload);
  const text = plain.slice(SIGNATURE);
  if (!(await signed("reply", text, plain.slice(0, SIGNATURE), verifyKey)))
    throw new Refused("signature");
  const fields = readObject(fromUtf8(text) ?? "");
  const part = (name: string): Bytes => {
    const bytes = unbase64(fields?.[name]);
    if (bytes?.length !== 16) throw new Refused("damaged");
    return bytes;
  };
  if (fields && (fields["door"] !== door || fields["to"] !== me))
    throw new Refused("door");
  const uptime = fields?.["uptime"];
  if (!fields || !isNumber(uptime)) throw new Refused("damaged");
  const result = fields["result"];
  return {
    id: part("id"),
    epoch: part("epoch"),
    uptime,
    journal: part("journal"),
    head: readHead(fields["head"]),
    result: typeof result === "object" && result !== null ? (result as Fields) : null,
    refused: typeof fields["refused"] === "string" ? fields["refused"] : null,
  };
}

function readHead(value: unknown): Head | null {
  if (typeof value !== "object" || value === null) return null;
  const { index, hash } = value as Fields;
  const bytes = unbase64(hash);
  return isCount(index) && bytes?.length === 32 ? { index, hash: bytes } : null;
}

/** Whether *reply* answers the question with this *id*. */
export function answers(reply: Reply, id: Bytes): boolean {
  return same(reply.id, id);
}
