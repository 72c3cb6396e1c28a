/**
 * What a pairing QR holds (docs/formats/pairing.md): who the owner is, the secret, and where the broker is. Shown to a door's
 * camera it names this phone's keys, and the login is the door's; shown to a phone that joins it names none.
 */

import { type Bytes, base64, fromUtf8, join, unbase64, utf8 } from "./bytes";
import { Refused } from "./refused";

export const MOST_TICKET = 350; // bytes before base45
const MOST_TEXT = 525;
const NONE = new Uint8Array(32) as Bytes;
const HOST = "(?:[A-Za-z0-9_.-]{1,200}|\\[[0-9A-Fa-f:.]{2,45}\\])(?::([0-9]{1,5}))?";
const BROKER = new RegExp(`^(?:mqtts?://${HOST}|wss?://${HOST}(?:/[!-~]{0,100})?)$`);

/** Keys and pin are 32 bytes, zeros for one that is not given; the secret has 16. */
export interface Ticket {
  readonly owner: Bytes;
  readonly ownerVerifyKey: Bytes;
  readonly phone: Bytes;
  readonly phoneVerifyKey: Bytes;
  readonly secret: Bytes;
  /** SHA-256 of the broker's certificate, for a door; zeros: whoever the authorities vouch for. */
  readonly brokerPin: Bytes;
  readonly door: string;
  /** mqtts:// or mqtt:// for a door; wss:// or ws:// for a phone. */
  readonly broker: string;
  readonly login: string;
  readonly password: string;
}

export const NO_PHONE = { phone: NONE, phoneVerifyKey: NONE, brokerPin: NONE };

export function isForDoor(one: Ticket): boolean {
  return !isNone(one.phone);
}

/** Raises Refused where a text does not fit, or is not what it should be. */
export function writeTicket(one: Ticket): Bytes {
  const texts = [one.door, one.broker, one.login, one.password].map((text) => utf8(text));
  if (texts.some((text) => text.length > 255)) throw new Refused("long");
  const bytes = join(
    Uint8Array.of(1),
    ...[one.owner, one.ownerVerifyKey, one.phone, one.phoneVerifyKey, one.secret, one.brokerPin],
    ...texts.flatMap((text) => [Uint8Array.of(text.length), text]),
  );
  if (bytes.length > MOST_TICKET) throw new Refused("long");
  readTicket(bytes);
  return bytes;
}

/** Raises Refused. */
export function readTicket(bytes: Uint8Array): Ticket {
  if (bytes.length > MOST_TICKET || bytes[0] !== 1) refuse();
  let at = 1;
  const take = (length: number): Bytes => {
    if (at + length > bytes.length) refuse();
    return bytes.slice(at, (at += length)) as Bytes;
  };
  const text = (): string => fromUtf8(take(take(1)[0]!)) ?? refuse();
  const one: Ticket = {
    ...{ owner: take(32), ownerVerifyKey: take(32), phone: take(32), phoneVerifyKey: take(32), secret: take(16) },
    ...{ brokerPin: take(32), door: text(), broker: text(), login: text(), password: text() },
  };
  if (at !== bytes.length || isNone(one.owner) || isNone(one.ownerVerifyKey)) refuse();
  if (isNone(one.phone) !== isNone(one.phoneVerifyKey) || !/^[a-z0-9-]{1,32}$/.test(one.door) || !isBroker(one.broker)) refuse();
  if ([one.login, one.password].some((said) => /[\u0000-\u001f\u007f-\u009f]/.test(said)) || (one.password && !one.login)) refuse();
  return one;
}

/** A ticket as a camera or a person gives it: the QR's base45, or base64url, alone or behind `#/join/` of an address. Raises Refused. */
export function ticketFrom(text: string): Ticket {
  const given = text.includes("/join/") ? text.slice(text.lastIndexOf("/join/") + 6) : text;
  // Base45 knows no small letter; the base64url of some hundred random bytes is never without one.
  const bytes = /[a-z]/.test(given) ? fromBase64Url(given.trim()) : unbase45(given.replace(/[\r\n]/g, ""));
  return bytes ? readTicket(bytes) : refuse();
}

/** To be pasted: base45 has a space among its letters, which no mail keeps. */
export function toPaste(one: Ticket): string {
  return base64(writeTicket(one)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

function fromBase64Url(text: string): Bytes | null {
  return /^[\w-]*$/.test(text) ? unbase64(text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat(-text.length & 3)) : null;
}

function isBroker(text: string): boolean {
  const [found, tcp, web] = BROKER.exec(text) ?? [];
  const port = Number(tcp ?? web ?? 1);
  return found !== undefined && port >= 1 && port <= 65535;
}

function isNone(key: Uint8Array): boolean {
  return key.every((byte) => byte === 0);
}

function refuse(): never {
  throw new Refused("qr");
}

// ---- RFC 9285: what a QR code holds most densely

const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

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

/** Null for what no bytes are written as, and for more than a ticket can be. */
export function unbase45(text: string): Bytes | null {
  const digits = text.length <= MOST_TEXT ? [...text].map((sign) => BASE45.indexOf(sign)) : [-1];
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
