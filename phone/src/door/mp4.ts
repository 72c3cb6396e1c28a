/** Fragmented MP4 as the door writes it: where the fragments are and when they play, for seeking and for a cut clip. */

import { type Bytes, fromUtf8 } from "./bytes";
import { isNumber, readObject } from "./json";
import { Refused } from "./refused";

export interface FragmentPlace {
  /** Offsets of `moof` and of the end of its `mdat`. */
  readonly from: number;
  readonly to: number;
  /** Seconds from the clip's beginning. */
  readonly time: number;
  readonly keyframe: boolean;
}

export interface Movie {
  /** `ftyp` and `moov`. */
  readonly init: Bytes;
  /** For Media Source Extensions, as `video/mp4; codecs="avc1.64001f"`. */
  readonly type: string;
  readonly fragments: readonly FragmentPlace[];
}

export interface Box {
  readonly type: string;
  readonly from: number;
  readonly data: number;
  readonly to: number;
}

/** The boxes of *bytes* from *from* to *to*; a last one that is not whole is left out. */
export function* boxes(bytes: Uint8Array, from: number, to: number): Generator<Box> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = from; at + 8 <= to; ) {
    let size = view.getUint32(at);
    let data = at + 8;
    if (size === 1 && at + 16 <= to) {
      size = Number(view.getBigUint64(at + 8));
      data = at + 16;
    }
    if (size < data - at || at + size > to) return;
    yield { type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)), from: at, data, to: at + size };
    at += size;
  }
}

export function find(bytes: Uint8Array, within: Box | null, ...path: string[]): Box | null {
  let box = within;
  for (const type of path) {
    let next: Box | null = null;
    for (const one of boxes(bytes, box?.data ?? 0, box?.to ?? bytes.length)) {
      if (one.type === type) {
        next = one;
        break;
      }
    }
    if (!next) return null;
    box = next;
  }
  return box;
}

/** Whole fragments only: of a clip that a power cut ended, what comes before the cut. Raises Refused. */
export function readMovie(bytes: Uint8Array): Movie {
  const moov = find(bytes, null, "moov");
  if (!moov) throw new Refused("no_movie");
  const init = bytes.slice(0, moov.to) as Bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mdhd = find(bytes, moov, "trak", "mdia", "mdhd");
  const timescale = mdhd ? view.getUint32(mdhd.data + (bytes[mdhd.data] === 1 ? 20 : 12)) : 0;
  const fragments: FragmentPlace[] = [];
  let moof: Box | null = null;
  for (const box of boxes(bytes, moov.to, bytes.length)) {
    if (box.type === "moof") moof = box;
    else if (box.type === "mdat" && moof) {
      const place = timeOf(bytes, view, moof);
      fragments.push({ from: moof.from, to: box.to, time: place.time / (timescale || 1), keyframe: place.keyframe });
      moof = null;
    }
  }
  return { init, type: `video/mp4; codecs="${codecOf(bytes, moov)}"`, fragments };
}

function timeOf(bytes: Uint8Array, view: DataView, moof: Box): { time: number; keyframe: boolean } {
  const tfdt = find(bytes, moof, "traf", "tfdt");
  const time = !tfdt ? 0 : bytes[tfdt.data] === 1 ? Number(view.getBigUint64(tfdt.data + 4)) : view.getUint32(tfdt.data + 4);
  return { time, keyframe: (firstFlags(bytes, view, moof) & 0x10000) === 0 };
}

/** The sample flags of a fragment's first picture; bit 16 says that it is no keyframe. */
function firstFlags(bytes: Uint8Array, view: DataView, moof: Box): number {
  const trun = find(bytes, moof, "traf", "trun");
  const tfhd = find(bytes, moof, "traf", "tfhd");
  const has = trun ? view.getUint32(trun.data) & 0xffffff : 0;
  if (trun && has & 0x4) return view.getUint32(trun.data + 8 + (has & 0x1 ? 4 : 0));
  if (trun && has & 0x400)
    return view.getUint32(trun.data + 8 + (has & 0x1 ? 4 : 0) + (has & 0x100 ? 4 : 0) + (has & 0x200 ? 4 : 0));
  if (!tfhd) return 0;
  const set = view.getUint32(tfhd.data) & 0xffffff;
  if (!(set & 0x20)) return 0;
  const at = tfhd.data + 8 + (set & 0x1 ? 8 : 0) + (set & 0x2 ? 4 : 0) + (set & 0x8 ? 4 : 0) + (set & 0x10 ? 4 : 0);
  return view.getUint32(at);
}

/** `avc1.` and profile, constraints and level from the AVC configuration. */
function codecOf(bytes: Uint8Array, moov: Box): string {
  const stsd = find(bytes, moov, "trak", "mdia", "minf", "stbl", "stsd");
  for (let at = stsd?.data ?? moov.to; stsd && at + 12 <= stsd.to; at++)
    if (fromUtf8(bytes.subarray(at, at + 4)) === "avcC")
      return `avc1.${Array.from(bytes.subarray(at + 5, at + 8), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  throw new Refused("no_movie");
}

/**
 * The door's uptime at the film's zero, in seconds, from the comment of a live film's beginning; null where it says none.
 * The comment lies in `udta meta ilst ©cmt data`; `meta` has four bytes before its boxes, `data` eight before its text.
 */
export function beganAt(init: Uint8Array): number | null {
  const meta = find(init, find(init, null, "moov"), "udta", "meta");
  const comment = meta && find(init, { ...meta, data: meta.data + 4 }, "ilst", "\u00a9cmt", "data");
  const said = comment && readObject(fromUtf8(init.subarray(comment.data + 8, comment.to)) ?? "");
  return isNumber(said?.["at"]) ? said["at"] : null;
}

/** The last fragment at or before *seconds* that begins with a keyframe: where playing can begin. */
export function fragmentAt(movie: Movie, seconds: number): number {
  let best = 0;
  movie.fragments.forEach((one, i) => {
    if (one.keyframe && one.time <= seconds) best = i;
  });
  return best;
}
