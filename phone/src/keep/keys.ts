/**
 * This phone's private keys: used here, never given out.
 *
 * Where the browser's WebCrypto has X25519 and Ed25519 they are CryptoKeys that cannot be exported. Where it has not, the
 * 32 bytes lie in IndexedDB sealed with an AES key that cannot be exported, and are open in memory while the app runs.
 */

import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import type { Identity } from "../door/age";
import { type Bytes, join, unhex } from "../door/bytes";
import { ageLine, recipientOf } from "../door/identity";
import { Refused } from "../door/refused";
import type { Signer } from "../door/sign";

/** As it lies in IndexedDB. */
export interface KeptKeys {
  readonly recipient: string;
  readonly verifyKey: Bytes;
  readonly opening: CryptoKey | Wrapped;
  readonly signing: CryptoKey | Wrapped;
}

interface Wrapped {
  readonly under: CryptoKey;
  readonly nonce: Bytes;
  readonly sealed: Bytes;
}

/** Ready for use. */
export interface Keys {
  readonly recipient: string;
  readonly identity: Identity;
  readonly signer: Signer;
  /** Whether the browser itself keeps them from being taken out. */
  readonly locked: boolean;
}

const PKCS8 = { X25519: "302e020100300506032b656e04220420", Ed25519: "302e020100300506032b657004220420" };

/** New keys, of this phone alone. Raises Refused where the page may hold no key. */
export async function newPhoneKeys(): Promise<KeptKeys> {
  const [secret, seed] = [x25519.utils.randomSecretKey(), ed25519.utils.randomSecretKey()];
  if (!globalThis.isSecureContext)
    throw new Refused("insecure");
  return {
    recipient: recipientOf(secret),
    verifyKey: ed25519.getPublicKey(seed) as Bytes,
    opening: await lock(secret, "X25519", ["deriveBits"]),
    signing: await lock(seed, "Ed25519", ["sign"]),
  };
}

async function lock(secret: Uint8Array, name: "X25519" | "Ed25519", uses: KeyUsage[]): Promise<CryptoKey | Wrapped> {
  try {
    return await crypto.subtle.importKey("pkcs8", join(unhex(PKCS8[name])!, secret), { name }, false, uses);
  } catch {
    const under = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, under, secret as Bytes);
    return { under, nonce, sealed: new Uint8Array(sealed) };
  }
}

export async function useKeys(kept: KeptKeys): Promise<Keys> {
  const { recipient, verifyKey, opening, signing } = kept;
  const identity = opening instanceof CryptoKey ? opening : ageLine(await unlock(opening));
  return { recipient, identity, signer: await signerOf(signing, verifyKey), locked: opening instanceof CryptoKey };
}

async function signerOf(kept: CryptoKey | Wrapped, verifyKey: Bytes): Promise<Signer> {
  if (kept instanceof CryptoKey) {
    const sign = async (message: Bytes): Promise<Bytes> =>
      new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, kept, message));
    return { verifyKey, sign };
  }
  const seed = await unlock(kept);
  return { verifyKey, sign: (message) => Promise.resolve(ed25519.sign(message, seed) as Bytes) };
}

async function unlock(kept: Wrapped): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.nonce }, kept.under, kept.sealed));
}
