/** The owner's identity: 32 secret bytes, as an age key or as 24 words on paper, and what is derived from them. */

import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bech32 } from "@scure/base";
import { type Bytes, base32, utf8 } from "./bytes";
import { Refused } from "./refused";
import { hashOf } from "./sign";

const PREFIX = "AGE-SECRET-KEY-";

/** Read an `AGE-SECRET-KEY-1…` line, or an identity file that holds one. Raises Refused, which never repeats the text. */
export function secretFromAge(text: string): Bytes {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const line = lines[0] ?? "";
  if (line.startsWith("age1")) throw new Refused("recipient");
  try {
    const { prefix, bytes } = bech32.decodeToBytes(line);
    if (lines.length === 1 && prefix.toUpperCase() === PREFIX && line === line.toUpperCase() && bytes.length === 32)
      return bytes as Bytes;
  } catch {
    // said below
  }
  throw new Refused("typing");
}

/**
 * Read 24 words, in any case and spacing, numbered or not. *words* is BIP-39's English list, which the caller loads when
 * somebody types. Raises Refused with the place of a word that is wrong.
 */
export function secretFromWords(text: string, words: readonly string[]): Bytes {
  const typed = text.toLowerCase().match(/[a-z]+/g) ?? [];
  if (typed.length !== 24) throw new Refused("count", typed.length);
  const whole = new Uint8Array(33);
  typed.forEach((word, place) => {
    const number = words.indexOf(word);
    if (number < 0) throw new Refused("word", place + 1);
    for (let bit = 0; bit < 11; bit++)
      if (number & (1024 >> bit)) whole[(place * 11 + bit) >> 3]! |= 128 >> ((place * 11 + bit) & 7);
  });
  const secret = whole.slice(0, 32);
  if (hashOf(secret)[0] !== whole[32]) {
    throw new Refused("checksum");
  }
  return secret;
}

export function wordsOf(secret: Uint8Array, words: readonly string[]): string[] {
  const bits = [...secret, hashOf(secret)[0]!].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from({ length: 24 }, (_, place) => words[Number.parseInt(bits.slice(place * 11, place * 11 + 11), 2)]!);
}

export function ageLine(secret: Uint8Array): string {
  return bech32.encodeFromBytes(PREFIX, secret).toUpperCase();
}

export function recipientOf(secret: Uint8Array): string {
  return recipientText(x25519.getPublicKey(secret));
}

export function recipientText(point: Uint8Array): string {
  return bech32.encodeFromBytes("age", point);
}

/** The 32 bytes of `age1…`, or null. */
export function recipientPoint(text: string): Bytes | null {
  try {
    const { prefix, bytes } = bech32.decodeToBytes(text);
    return prefix === "age" && bytes.length === 32 && text === text.toLowerCase() ? (bytes as Bytes) : null;
  } catch {
    return null;
  }
}

/** The seed of the Ed25519 key with which the owner signs. */
export function signingSeed(secret: Uint8Array): Bytes {
  return hkdf(sha256, secret, undefined, utf8("doorbell/v1/owner-signing"), 32) as Bytes;
}

/** `<phone>` in topics and the login at the broker. */
export function memberId(verifyKey: Uint8Array): string {
  return base32(hashOf(verifyKey)).slice(0, 26);
}
