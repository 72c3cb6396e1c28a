/**
 * libsodium's sealed box (crypto_box_seal), to which commands and pairing are sealed.
 *
 * ephemeral key ‖ XSalsa20-Poly1305(HSalsa20(X25519(ephemeral, box key)), nonce = BLAKE2b-192(ephemeral ‖ box key), text).
 */

import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { type Bytes, join } from "./bytes";

const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);

export function sealBox(boxKey: Uint8Array, text: Uint8Array, ephemeral: Uint8Array = x25519.utils.randomSecretKey()): Bytes {
  const share = x25519.getPublicKey(ephemeral);
  const key = beforeNm(x25519.getSharedSecret(ephemeral, boxKey));
  const nonce = blake2b(join(share, boxKey), { dkLen: 24 });
  return join(share, xsalsa20poly1305(key, nonce).encrypt(text));
}

function beforeNm(shared: Uint8Array): Bytes {
  const out = new Uint32Array(8);
  hsalsa(SIGMA, words(shared), new Uint32Array(4), out);
  const key = new Uint8Array(32);
  out.forEach((word, i) => new DataView(key.buffer).setUint32(i * 4, word, true));
  return key;
}

function words(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true));
}
