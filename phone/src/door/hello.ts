/** The door's public facts, which the broker keeps for whoever comes; signed by the door itself. */

import { type Bytes, fromUtf8, unbase64 } from "./bytes";
import { Refused } from "./refused";
import { readSigned, signed } from "./sign";

export interface Hello {
  readonly door: string;
  readonly software: string;
  readonly verifyKey: Bytes;
  readonly boxKey: Bytes;
  readonly epoch: Bytes;
  readonly journal: Bytes;
  /** Only while pairing is open. */
  readonly pairMac: Bytes | null;
}

/**
 * Read and verify a hello of *door*. With *pinned*, it must be by that key; without, by the key it names itself, which only
 * shows that its maker holds it: pairing, or a person who compares, must show that it is the door's. Raises Refused.
 */
export async function readHello(payload: Uint8Array, door: string, pinned: Uint8Array | null): Promise<Hello> {
  const text = payload.length <= 8192 ? fromUtf8(payload) : null;
  const document = text === null ? null : readSigned(text);
  const part = (name: string, length: number): Bytes => {
    const bytes = unbase64(document?.fields[name]);
    if (bytes?.length !== length) throw new Refused("damaged");
    return bytes;
  };
  const verifyKey = part("verify_key", 32);
  const fields = document!.fields;
  if (!(await signed("hello", document!.text, document!.sig, pinned ?? verifyKey)))
    throw new Refused("signature");
  if (fields["v"] !== 1 || fields["door"] !== door) throw new Refused("door");
  return {
    door,
    software: String(fields["software"] ?? ""),
    verifyKey,
    boxKey: part("box_key", 32),
    epoch: part("epoch", 16),
    journal: part("journal", 16),
    pairMac: "pair_mac" in fields ? part("pair_mac", 32) : null,
  };
}
