/** Live view (section 6 of the wire formats): messages that are each used once, and fragments put together from them. */

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, join, u64be, utf8 } from "./bytes";

export type LiveKind = "init" | "video" | "audio" | "end";
const KINDS: readonly LiveKind[] = ["init", "video", "audio", "end"];
const FIRST = 1;
const LAST = 2;
const KEYFRAME = 4;
const MOST_MESSAGE = 96 * 1024 + 64;
const MOST_FRAGMENT = 1024 * 1024;

export interface Fragment {
  readonly kind: LiveKind;
  readonly bytes: Bytes;
  /** Of video: whether it begins with one. */
  readonly keyframe: boolean;
}

/** The down direction of one session. *secret* are the 32 bytes of the reply to `live start`. */
export class LiveReceiver {
  readonly #key: Bytes;
  readonly #session: Bytes;
  #last = -1n;
  #expected = 0n;
  #parts: Bytes[] = [];
  #kind: LiveKind | null = null;
  #keyframe = false;
  #waiting = true; // for a keyframe, at the beginning and after a gap

  /** What was thrown away: replays, forgeries, what came behind a gap. */
  dropped = 0;

  constructor(secret: Uint8Array, session: Uint8Array) {
    this.#session = session as Bytes;
    this.#key = hkdf(sha256, secret, undefined, join(utf8("doorbell/v1/live-down"), session), 32) as Bytes;
  }

  /** The fragment that this message completes, or null. */
  take(message: Uint8Array): Fragment | null {
    const data = this.#open(message);
    if (!data || data.length < 2) {
      this.dropped++;
      return null;
    }
    const kind = KINDS[data[0]!];
    const flags = data[1]!;
    if (this.#last !== this.#expected) this.#gap();
    this.#expected = this.#last + 1n;
    if (!kind) return null;
    if (flags & FIRST) {
      this.#kind = kind;
      this.#keyframe = (flags & KEYFRAME) !== 0;
      this.#parts = [];
    }
    if (this.#kind !== kind) return this.#drop();
    if (kind === "video" && flags & FIRST && flags & KEYFRAME) this.#waiting = false;
    if (kind === "video" && this.#waiting) return this.#drop();
    this.#parts.push(data.slice(2));
    if (this.#parts.reduce((sum, part) => sum + part.length, 0) > MOST_FRAGMENT) return this.#drop();
    if (!(flags & LAST)) return null;
    const bytes = join(...this.#parts);
    this.#kind = null;
    this.#parts = [];
    return { kind, bytes, keyframe: this.#keyframe };
  }

  #drop(): null {
    this.dropped++;
    this.#kind = null;
    this.#parts = [];
    return null;
  }

  #gap(): void {
    this.#waiting = true;
    this.#kind = null;
    this.#parts = [];
  }

  #open(message: Uint8Array): Uint8Array | null {
    if (message.length < 8 + 16 || message.length > MOST_MESSAGE) return null;
    const number = new DataView(message.buffer, message.byteOffset).getBigUint64(0);
    if (number <= this.#last) return null;
    const counted = message.subarray(0, 8);
    const nonce = join(new Uint8Array(16), counted);
    const ad = join(utf8("doorbell/v1/live\0"), this.#session, counted);
    try {
      const data = xchacha20poly1305(this.#key, nonce, ad).decrypt(message.subarray(8));
      this.#last = number;
      return data;
    } catch {
      return null;
    }
  }
}

/** One message, as the door makes it; the phone's tests need it, and `talk` will. */
export function liveMessage(key: Uint8Array, session: Uint8Array, number: number, kind: LiveKind, flags: number, data: Uint8Array): Bytes {
  const counted = u64be(number);
  const plain = join(Uint8Array.of(KINDS.indexOf(kind), flags), data);
  const ad = join(utf8("doorbell/v1/live\0"), session, counted);
  return join(counted, xchacha20poly1305(key, join(new Uint8Array(16), counted), ad).encrypt(plain));
}
