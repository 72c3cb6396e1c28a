/**
 * Opening age v1 files (docs/formats/clip.md): age-encryption finds the file key, the chunks are opened here, one by one.
 *
 * The library gives all of a file or an error. A clip that a power cut ended has no final chunk, and everything before
 * is good; so the header is read strictly, the library unwraps the file key (with a key that WebCrypto never gives
 * out, where it can), and each chunk that authenticates is given away with the word for how the file ended.
 */

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { base64nopad } from "@scure/base";
import { Decrypter, Encrypter } from "age-encryption";
import { type Bytes, join, utf8 } from "./bytes";
import { Refused } from "./refused";

/** How a file ended. Only `opens` is a whole one; after `cut`, `changed` and `trailing` what came before is genuine. */
export type Ending = "opens" | "not_age" | "not_ours" | "header_changed" | "cut" | "changed" | "trailing";

const MOST_HEADER = 65_536;
const CHUNK = 65_536;
const SEALED_CHUNK = CHUNK + 16;
const NONCE = 16;
const FIRST_LINE = "age-encryption.org/v1";

/** An age X25519 identity: the library's text form, or a private CryptoKey that cannot be exported. */
export type Identity = string | CryptoKey;

/** Opens files for one identity; make it once, for it derives its own recipient at first use. */
export class Opener {
  readonly #decrypter = new Decrypter();

  constructor(identity: Identity) {
    this.#decrypter.addIdentity(identity);
  }

  /** The chunks of a file that grows: give it bytes as they come. */
  reader(): Reader {
    return new Reader((header) => this.#decrypter.decryptHeader(header));
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
    if (ending !== "opens") throw new Refused(ending, "This message is not sealed to this phone, or it was changed.");
    return plain;
  }
}

export async function seal(plain: Uint8Array, recipients: readonly string[]): Promise<Bytes> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return (await encrypter.encrypt(plain)) as Bytes;
}

/** One file: `give` bytes in order, then `end`; both return what authenticated. `ending` is set at the end. */
export class Reader {
  ending: Ending | null = null;
  #held: Bytes = new Uint8Array(0);
  #key: Uint8Array | null = null;
  #index = 0;
  #final = false;

  constructor(private readonly unwrap: (header: Uint8Array) => Promise<Uint8Array>) {}

  async give(bytes: Uint8Array): Promise<Bytes[]> {
    if (this.ending) return [];
    this.#held = join(this.#held, bytes);
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
    if (end > MOST_HEADER || !isHeader(this.#held.subarray(0, end))) {
      this.ending = "not_age";
      return false;
    }
    if (this.#held.length < end + NONCE) return false;
    let fileKey: Uint8Array;
    try {
      fileKey = await this.unwrap(this.#held.slice(0, end));
    } catch (error) {
      this.ending = unwrapFault(error);
      return false;
    }
    this.#key = hkdf(sha256, fileKey, this.#held.subarray(end, end + NONCE), utf8("payload"), 32);
    this.#held = this.#held.slice(end + NONCE);
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
    try {
      return chacha20poly1305(this.#key!, nonce).decrypt(sealed) as Bytes;
    } catch {
      return null;
    }
  }
}

function unwrapFault(error: unknown): Ending {
  const said = error instanceof Error ? error.message : "";
  if (said.startsWith("no identity matched")) return "not_ours";
  return said === "invalid header HMAC" ? "header_changed" : "not_age";
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

/** The rules of the format page that the library does not hold a header to, stanzas behind the fitting one included. */
function isHeader(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte > 126 || (byte < 32 && byte !== 10))) return false;
  const lines = String.fromCharCode(...bytes).split("\n");
  const mac = lines.at(-2)!;
  if (lines[0] !== FIRST_LINE || !/^--- [A-Za-z0-9+/]{43}$/.test(mac) || !isBase64(mac.slice(4))) return false;
  const kinds: string[] = [];
  for (let i = 1; i < lines.length - 2; ) {
    const args = lines[i++]!.split(" ");
    if (args.shift() !== "->" || args.length === 0 || !args.every((arg) => /^[!-~]+$/.test(arg))) return false;
    let body = "";
    let line: string;
    do {
      if (i >= lines.length - 2) return false;
      line = lines[i++]!;
      if (line.length > 64 || !isBase64(line)) return false;
      body += line;
    } while (line.length === 64);
    kinds.push(args[0]!);
    if (args[0] === "X25519" && !isStanza(args, body)) return false;
  }
  return kinds.length > 0 && !(kinds.includes("scrypt") && kinds.length > 1);
}

function isStanza(args: string[], body: string): boolean {
  return args.length === 2 && args[1]!.length === 43 && isBase64(args[1]!) && body.length === 43;
}

function isBase64(text: string): boolean {
  try {
    return base64nopad.encode(base64nopad.decode(text)) === text;
  } catch {
    return false;
  }
}
