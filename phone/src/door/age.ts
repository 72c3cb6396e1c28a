/**
 * Opening age v1 files (docs/formats/clip.md): the header read strictly, the file key found, the chunks opened one by one.
 *
 * age-encryption gives all of a file or an error. A clip that a power cut ended has no final chunk, and everything before
 * is good; so each chunk that authenticates is given away with the word for how the file ended. The header is read here
 * once, for its rules are stricter than the library's, and reading it there again, through its streams, took longer than
 * all else of an alert's opening. The key is one that WebCrypto never gives out, where it can.
 */

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { base64nopad } from "@scure/base";
import { Encrypter } from "age-encryption";
import { type Bytes, join, same, utf8 } from "./bytes";
import { secretFromAge } from "./identity";
import { Refused } from "./refused";

/** How a file ended. Only `opens` is a whole one; after `cut`, `changed` and `trailing` what came before is genuine. */
export type Ending = "opens" | "not_age" | "not_ours" | "header_changed" | "cut" | "changed" | "trailing";

const MOST_HEADER = 65_536;
const CHUNK = 65_536;
const SEALED_CHUNK = CHUNK + 16;
const NONCE = 16;
const FIRST_LINE = "age-encryption.org/v1";
const MAC_LINE = 1 + 43 + 1; // behind `---`: a space, the MAC, a line's end
const FOR_KEY = utf8(`${FIRST_LINE}/X25519`);
const FOR_HEADER = utf8("header");
const FOR_CHUNKS = utf8("payload");
const NO_NONCE = new Uint8Array(12);

/** An age X25519 identity: the library's text form, or a private CryptoKey that cannot be exported. */
export type Identity = string | CryptoKey;

/** What the header says to an X25519 identity. */
interface Header {
  readonly stanzas: readonly { readonly share: Bytes; readonly body: Bytes }[];
  readonly mac: Bytes;
  /** What the MAC is over. */
  readonly text: Bytes;
}

/** Opens files for one identity; make it once, for it derives its own recipient. */
export class Opener {
  readonly #multiply: (share: Bytes) => Promise<Bytes>;
  readonly #recipient: Promise<Bytes>;

  constructor(identity: Identity) {
    this.#multiply = multiplier(identity);
    this.#recipient = this.#multiply(x25519.GuBytes as Bytes);
  }

  /** The chunks of a file that grows: give it bytes as they come. */
  reader(): Reader {
    return new Reader((header) => this.#unwrap(header));
  }

  async open(sealed: Uint8Array): Promise<{ ending: Ending; plain: Bytes }> {
    const reader = this.reader();
    const parts = await reader.give(sealed);
    parts.push(...(await reader.end()));
    return { ending: reader.ending!, plain: join(...parts) };
  }

  /** A message that must be whole. Raises Refused. */
  async openWhole(sealed: Uint8Array): Promise<Bytes> {
    const { ending, plain } = await this.open(sealed);
    if (ending !== "opens") throw new Refused(ending);
    return plain;
  }

  /** The file key, or why there is none. A share of low order spoils the file: WebCrypto and noble both refuse it. */
  async #unwrap({ stanzas, mac, text }: Header): Promise<Bytes | Ending> {
    const recipient = await this.#recipient;
    for (const { share, body } of stanzas) {
      let shared: Bytes;
      try {
        shared = await this.#multiply(share);
      } catch {
        return "not_age";
      }
      const fileKey = decrypt(hkdf(sha256, shared, join(share, recipient), FOR_KEY, 32), NO_NONCE, body);
      if (fileKey) return same(hmac(sha256, hkdf(sha256, fileKey, undefined, FOR_HEADER, 32), text), mac) ? fileKey : "header_changed";
    }
    return "not_ours";
  }
}

/** X25519 with the identity's secret half. Rejects for a point of low order. */
function multiplier(identity: Identity): (share: Bytes) => Promise<Bytes> {
  if (typeof identity === "string") {
    const secret = secretFromAge(identity);
    return async (share) => x25519.getSharedSecret(secret, share) as Bytes;
  }
  return async (share) => {
    const there = await crypto.subtle.importKey("raw", share, { name: "X25519" }, false, []);
    return new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: there }, identity, 256));
  };
}

/** What authenticates, or null. */
function decrypt(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Bytes | null {
  try {
    return chacha20poly1305(key, nonce).decrypt(sealed) as Bytes;
  } catch {
    return null;
  }
}

export async function seal(plain: Uint8Array, recipients: readonly string[]): Promise<Bytes> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return (await encrypter.encrypt(plain)) as Bytes;
}

/** One file: `give` bytes in order (they stay as they are), then `end`; both return what authenticated. `ending` is set at the end. */
export class Reader {
  ending: Ending | null = null;
  #held: Bytes = new Uint8Array(0);
  #key: Uint8Array | null = null;
  #index = 0;
  #final = false;

  constructor(private readonly unwrap: (header: Header) => Promise<Bytes | Ending>) {}

  async give(bytes: Uint8Array): Promise<Bytes[]> {
    if (this.ending) return [];
    this.#held = this.#held.length > 0 ? join(this.#held, bytes) : (bytes as Bytes); // a whole clip is not copied
    if (!this.#key && !(await this.#begin())) return [];
    // The last full chunk waits: whether it is final shows when more follows, or at the end.
    return this.#chunks(SEALED_CHUNK + 1);
  }

  async end(): Promise<Bytes[]> {
    if (this.ending) return [];
    if (!this.#key) {
      this.ending = looksLikeHeader(this.#held) ? "cut" : "not_age";
      return [];
    }
    const parts = this.#chunks(SEALED_CHUNK);
    if (this.ending) return parts;
    if (this.#final) this.ending = this.#held.length > 0 ? "trailing" : "opens";
    else this.#last(parts);
    return parts;
  }

  #last(parts: Bytes[]): void {
    const plain = this.#held.length >= 16 ? this.#unseal(this.#held, true) : null;
    this.ending = !plain ? "cut" : plain.length === 0 && this.#index > 0 ? "changed" : "opens";
    if (plain && this.ending === "opens") parts.push(plain);
  }

  async #begin(): Promise<boolean> {
    const end = headerEnd(this.#held);
    if (end === null) {
      if (this.#held.length > MOST_HEADER || !looksLikeHeader(this.#held)) this.ending = "not_age";
      return false;
    }
    const header = end > MOST_HEADER ? null : readHeader(this.#held.slice(0, end));
    if (!header) {
      this.ending = "not_age";
      return false;
    }
    if (this.#held.length < end + NONCE) return false;
    const found = await this.unwrap(header);
    if (typeof found === "string") {
      this.ending = found;
      return false;
    }
    this.#key = hkdf(sha256, found, this.#held.subarray(end, end + NONCE), FOR_CHUNKS, 32);
    this.#held = this.#held.subarray(end + NONCE);
    return true;
  }

  #chunks(least: number): Bytes[] {
    const parts: Bytes[] = [];
    let at = 0;
    while (!this.ending && !this.#final && this.#held.length - at >= least) {
      const sealed = this.#held.subarray(at, at + SEALED_CHUNK);
      let plain = this.#unseal(sealed, false);
      if (!plain) {
        plain = this.#unseal(sealed, true);
        this.#final = plain !== null;
      }
      if (!plain) {
        this.ending = "changed";
        break;
      }
      parts.push(plain);
      this.#index++;
      at += SEALED_CHUNK;
    }
    this.#held = this.#held.slice(at);
    if (this.#final && this.#held.length > 0) this.ending = "trailing";
    return parts;
  }

  #unseal(sealed: Uint8Array, final: boolean): Bytes | null {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(3, BigInt(this.#index));
    nonce[11] = final ? 1 : 0;
    return decrypt(this.#key!, nonce, sealed);
  }
}

/** Whether what is here could still become a header: the first line, as far as it has come, is age's. */
function looksLikeHeader(held: Uint8Array): boolean {
  const line = utf8(`${FIRST_LINE}\n`);
  return held.subarray(0, line.length).every((byte, i) => byte === line[i]);
}

/** Where the header ends, behind the line that begins with `---`; null while it is not all here. */
function headerEnd(held: Uint8Array): number | null {
  let lineAt = 0;
  for (let i = 0; i < Math.min(held.length, MOST_HEADER + 1); i++) {
    if (held[i] !== 10) continue;
    if (held[lineAt] === 45 && held[lineAt + 1] === 45 && held[lineAt + 2] === 45) return i + 1;
    lineAt = i + 1;
  }
  return null;
}

/** By the rules of the format page, stanzas behind the fitting one included; null where one is broken. */
function readHeader(bytes: Bytes): Header | null {
  if (bytes.some((byte) => byte > 126 || (byte < 32 && byte !== 10))) return null;
  const lines = String.fromCharCode(...bytes).split("\n");
  const last = lines.at(-2)!;
  const mac = last.startsWith("--- ") ? unbase64(last.slice(4)) : null;
  if (lines[0] !== FIRST_LINE || mac?.length !== 32) return null;
  const kinds: string[] = [];
  const stanzas: { share: Bytes; body: Bytes }[] = [];
  for (let i = 1; i < lines.length - 2; ) {
    const args = lines[i++]!.split(" ");
    if (args.shift() !== "->" || args.length === 0 || !args.every((arg) => /^[!-~]+$/.test(arg))) return null;
    const parts: Bytes[] = [];
    let line: string;
    do {
      if (i >= lines.length - 2) return null;
      line = lines[i++]!;
      const part = line.length > 64 ? null : unbase64(line);
      if (!part) return null;
      parts.push(part);
    } while (line.length === 64);
    kinds.push(args[0]!);
    if (args[0] !== "X25519") continue;
    const share = args.length === 2 ? unbase64(args[1]!) : null;
    const body = join(...parts);
    if (share?.length !== 32 || body.length !== 32) return null;
    stanzas.push({ share, body });
  }
  if (kinds.length === 0 || (kinds.includes("scrypt") && kinds.length > 1)) return null;
  return { stanzas, mac, text: bytes.slice(0, -MAC_LINE) };
}

/** Without padding, and only the one canonical spelling. */
function unbase64(text: string): Bytes | null {
  try {
    const bytes = base64nopad.decode(text);
    return base64nopad.encode(bytes) === text ? (bytes as Bytes) : null;
  } catch {
    return null;
  }
}
