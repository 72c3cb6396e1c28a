/** Joining a household (section 7 of the wire formats): the QR, and the two MACs by which phone and door know each other. */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, fromUtf8, join, same, utf8 } from "./bytes";
import type { Hello } from "./hello";
import { Refused } from "./refused";

export const MOST_QR = 350; // bytes before base45

/** What the QR on a phone's screen tells a door that was never paired. Keys are 32 bytes, the secret 16. */
export interface Invitation {
  readonly ownerRecipient: Bytes;
  readonly ownerVerifyKey: Bytes;
  readonly phoneRecipient: Bytes;
  readonly phoneVerifyKey: Bytes;
  readonly secret: Bytes;
  readonly brokerPin: Bytes;
  readonly door: string;
  readonly broker: string;
  readonly login: string;
  readonly password: string;
}

export function writeInvitation(one: Invitation): Bytes {
  const texts = [one.door, one.broker, one.login, one.password].map((text) => utf8(text));
  if (texts.some((text) => text.length > 255)) throw new Refused("long", "A name or address is longer than 255 bytes.");
  const bytes = join(
    Uint8Array.of(1),
    one.ownerRecipient,
    one.ownerVerifyKey,
    one.phoneRecipient,
    one.phoneVerifyKey,
    one.secret,
    one.brokerPin,
    ...texts.flatMap((text) => [Uint8Array.of(text.length), text]),
  );
  if (bytes.length > MOST_QR) throw new Refused("long", "Door, broker and login are together too long for a QR code.");
  return bytes;
}

/** Raises Refused. */
export function readInvitation(bytes: Uint8Array): Invitation {
  const refuse = (): never => {
    throw new Refused("damaged", "This QR code is not one of a doorbell.");
  };
  if (bytes.length > MOST_QR || bytes[0] !== 1) refuse();
  let at = 1;
  const take = (length: number): Bytes => {
    if (at + length > bytes.length) refuse();
    return bytes.slice(at, (at += length)) as Bytes;
  };
  const text = (): string => fromUtf8(take(take(1)[0]!)) ?? refuse();
  const one: Invitation = {
    ownerRecipient: take(32),
    ownerVerifyKey: take(32),
    phoneRecipient: take(32),
    phoneVerifyKey: take(32),
    secret: take(16),
    brokerPin: take(32),
    door: text(),
    broker: text(),
    login: text(),
    password: text(),
  };
  return at === bytes.length ? one : refuse();
}

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

const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** RFC 9285: what a QR code holds most densely. */
export function base45(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 2) {
    let number = i + 1 < bytes.length ? bytes[i]! * 256 + bytes[i + 1]! : bytes[i]!;
    for (let digits = i + 1 < bytes.length ? 3 : 2; digits > 0; digits--) {
      text += BASE45[number % 45];
      number = Math.floor(number / 45);
    }
  }
  return text;
}

/** Null for what no bytes are written as. */
export function unbase45(text: string): Bytes | null {
  const digits = [...text].map((sign) => BASE45.indexOf(sign));
  if (digits.includes(-1) || digits.length % 3 === 1) return null;
  const bytes: number[] = [];
  for (let i = 0; i < digits.length; i += 3) {
    const whole = digits.length - i >= 3;
    const number = digits[i]! + digits[i + 1]! * 45 + (whole ? digits[i + 2]! * 2025 : 0);
    if (number > (whole ? 0xffff : 0xff)) return null;
    if (whole) bytes.push(number >> 8);
    bytes.push(number & 255);
  }
  return Uint8Array.from(bytes);
}
