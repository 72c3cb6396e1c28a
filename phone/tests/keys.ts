/** Private keys of the vectors as a browser holds them. */

import { bech32 } from "@scure/base";
import { join, unhex } from "../src/door/bytes";

export function asCryptoKey(identity: string): Promise<CryptoKey> {
  const { bytes } = bech32.decodeToBytes(identity);
  const wrapped = join(unhex("302e020100300506032b656e04220420")!, bytes);
  return crypto.subtle.importKey("pkcs8", wrapped, { name: "X25519" }, false, ["deriveBits"]);
}
