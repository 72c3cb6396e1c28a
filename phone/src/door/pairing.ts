/** The two MACs by which a phone and a door that never met know each other (section 7 of the wire formats). */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, join, same, utf8 } from "./bytes";
import type { Hello } from "./hello";

export function doorMac(secret: Uint8Array, door: string, verifyKey: Uint8Array, boxKey: Uint8Array): Bytes {
  return hmac(sha256, secret, join(utf8("doorbell/v1/pair-door\0"), utf8(door), verifyKey, boxKey)) as Bytes;
}

export function phoneMac(secret: Uint8Array, recipient: Uint8Array, verifyKey: Uint8Array): Bytes {
  return hmac(sha256, secret, join(utf8("doorbell/v1/pair-phone\0"), recipient, verifyKey)) as Bytes;
}

/** Whether whoever says *hello* knows the secret, so that its keys may be pinned. */
export function knowsSecret(hello: Hello, secret: Uint8Array): boolean {
  return hello.pairMac !== null && same(hello.pairMac, doorMac(secret, hello.door, hello.verifyKey, hello.boxKey));
}
