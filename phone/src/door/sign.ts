/** The door's and the household's signatures: Ed25519 over `"doorbell/v1/<kind>" ‖ 0x00 ‖ the exact bytes`. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, join, unbase64, utf8 } from "./bytes";
import { type Fields, readObject } from "./json";

export type Kind = "command" | "reply" | "hello" | "alert" | "roster" | "checkpoint" | "entry" | "sign-entry" | "journal";

export const SIGNATURE = 64;

export function labelled(kind: Kind, ...parts: Uint8Array[]): Bytes {
  return join(utf8(`doorbell/v1/${kind}\0`), ...parts);
}

export function hashOf(...parts: Uint8Array[]): Bytes {
  return sha256(join(...parts)) as Bytes;
}

/** What can sign for this phone or this owner; the private half stays where it is. */
export interface Signer {
  readonly verifyKey: Bytes;
  sign(message: Bytes): Promise<Bytes>;
}

let native: boolean | undefined;
const imported = new Map<string, Promise<CryptoKey>>();

/**
 * WebCrypto verifies ten times faster; where it lacks Ed25519, noble does it, strictly as RFC 8032 (no ZIP 215). Both say
 * no to a signature that only one of them would take only for keys of low order, which no honest door has.
 */
export async function verifies(sig: Uint8Array, message: Uint8Array, key: Uint8Array): Promise<boolean> {
  if (sig.length !== SIGNATURE || key.length !== 32) return false;
  if (native !== false && globalThis.crypto?.subtle) {
    try {
      const name = String.fromCharCode(...key);
      if (imported.size > 64) imported.clear();
      let ready = imported.get(name);
      if (!ready) {
        ready = crypto.subtle.importKey("raw", key as Bytes, { name: "Ed25519" }, false, ["verify"]);
        imported.set(name, ready);
      }
      const good = await crypto.subtle.verify({ name: "Ed25519" }, await ready, sig as Bytes, message as Bytes);
      native = true;
      return good;
    } catch {
      native ??= false;
    }
  }
  try {
    return ed25519.verify(sig, message, key, { zip215: false });
  } catch {
    return false;
  }
}

export function signed(kind: Kind, text: Uint8Array, sig: Uint8Array, key: Uint8Array): Promise<boolean> {
  return verifies(sig, labelled(kind, text), key);
}

/** `{"json":"<text>","sig":"<base64>"}` taken apart; whether the signature is right is not looked at. */
export function readSigned(text: string): { text: Bytes; sig: Bytes; fields: Fields } | null {
  const outer = readObject(text);
  const sig = unbase64(outer?.["sig"]);
  const inner = outer?.["json"];
  if (typeof inner !== "string" || sig?.length !== SIGNATURE) return null;
  const fields = readObject(inner);
  return fields && { text: utf8(inner), sig, fields };
}
