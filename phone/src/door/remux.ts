/**
 * A clip as the door wrote it (`ftyp moov (moof mdat)*`) made into an ordinary MP4 that any player seeks in: the tables of all
 * pictures in front, the pictures behind (ISO/IEC 14496-12). Nothing is encoded anew: not one byte of a picture changes.
 *
 * The beginning is kept box by box. Only what a fragmented film leaves empty is written: the durations (8.2.2, 8.3.2, 8.4.2)
 * and each track's sample tables (8.6, 8.7); `mvex`, which announces fragments, goes.
 */

import { type Bytes, join, u64be } from "./bytes";
import { type Box, boxes, find } from "./mp4";
import { Refused } from "./refused";

interface Sample {
  /** Offset in the clip. */
  readonly at: number;
  readonly size: number;
  readonly duration: number;
  /** Shown so many ticks after it is decoded. */
  readonly later: number;
  readonly keyframe: boolean;
}

interface Track {
  readonly id: number;
  readonly trak: Box;
  readonly timescale: number;
  readonly defaults: readonly number[]; // of trex: duration, size, flags
  readonly samples: Sample[];
  /** When the last one begins, in ticks from the first. */
  last: number;
}

const NO_KEYFRAME = 0x10000;
const MOST_SAMPLES = 1_000_000;

/** Of a clip that was cut, what is whole. Raises Refused. */
export function remux(clip: Bytes): Bytes {
  try {
    return whole(clip);
  } catch (error) {
    throw error instanceof RangeError ? noMovie() : error; // a table that points outside the clip
  }
}

function whole(clip: Bytes): Bytes {
  const moov = find(clip, null, "moov");
  const ftyp = find(clip, null, "ftyp");
  if (!moov || !ftyp) throw noMovie();
  const tracks = readTracks(clip, moov);
  readFragments(clip, moov.to, tracks);
  const used = tracks.filter(({ samples }) => samples.length > 0);
  if (used.length === 0) throw noMovie();
  const data = used.flatMap(({ samples }) => samples).reduce((sum, { size }) => sum + size, 0);
  const head = clip.slice(ftyp.from, ftyp.to);
  // Where the pictures lie depends on how long the tables are, which does not depend on where the pictures lie.
  const before = head.length + writeMoov(clip, moov, used, 0).length + 16;
  const mdat = join(u32(1), ascii("mdat"), u64be(16 + data));
  const pictures = used.flatMap(({ samples }) => samples.map(({ at, size }) => clip.subarray(at, at + size)));
  return join(head, writeMoov(clip, moov, used, before), mdat, ...pictures);
}

// ---- what the clip holds

function readTracks(clip: Bytes, moov: Box): Track[] {
  const view = viewOf(clip);
  const tracks: Track[] = [];
  for (const trak of boxes(clip, moov.data, moov.to)) {
    const tkhd = trak.type === "trak" && find(clip, trak, "tkhd");
    const mdhd = trak.type === "trak" && find(clip, trak, "mdia", "mdhd");
    if (!tkhd || !mdhd || !find(clip, trak, "mdia", "minf", "stbl", "stsd")) continue;
    const id = view.getUint32(tkhd.data + (clip[tkhd.data] === 1 ? 20 : 12));
    const timescale = view.getUint32(mdhd.data + (clip[mdhd.data] === 1 ? 20 : 12));
    tracks.push({ id, trak, timescale, defaults: readDefaults(clip, moov, id), samples: [], last: 0 });
  }
  return tracks;
}

function readDefaults(clip: Bytes, moov: Box, id: number): number[] {
  const view = viewOf(clip);
  const mvex = find(clip, moov, "mvex");
  for (const trex of mvex ? boxes(clip, mvex.data, mvex.to) : [])
    if (trex.type === "trex" && view.getUint32(trex.data + 4) === id) return [12, 16, 20].map((place) => view.getUint32(trex.data + place));
  return [0, 0, 0];
}

/** Every picture of every whole fragment. */
function readFragments(clip: Bytes, from: number, tracks: Track[]): void {
  let moof: Box | null = null;
  for (const box of boxes(clip, from, clip.length)) {
    if (box.type === "moof") moof = box;
    else if (box.type === "mdat" && moof) {
      for (const traf of boxes(clip, moof.data, moof.to)) if (traf.type === "traf") readRuns(clip, moof, traf, box, tracks);
      moof = null;
    }
  }
}

function readRuns(clip: Bytes, moof: Box, traf: Box, mdat: Box, tracks: Track[]): void {
  const view = viewOf(clip);
  const tfhd = find(clip, traf, "tfhd");
  const track = tfhd && tracks.find(({ id }) => id === view.getUint32(tfhd.data + 4));
  if (!tfhd || !track) return;
  const set = view.getUint32(tfhd.data) & 0xffffff;
  let place = tfhd.data + 8;
  const next = (has: number, otherwise: number): number => (set & has ? view.getUint32((place += 4) - 4) : otherwise);
  let base = moof.from;
  if (set & 0x1) base = Number(view.getBigUint64((place += 8) - 8));
  next(0x2, 0);
  const [duration, size, flags] = [next(0x8, track.defaults[0]!), next(0x10, track.defaults[1]!), next(0x20, track.defaults[2]!)];
  // A decoding time that leaps (a picture was left out) makes the picture before it last longer.
  const tfdt = find(clip, traf, "tfdt");
  if (tfdt) stretch(track, clip[tfdt.data] === 1 ? Number(view.getBigUint64(tfdt.data + 4)) : view.getUint32(tfdt.data + 4));
  let at = base;
  for (const trun of boxes(clip, traf.data, traf.to)) {
    if (trun.type !== "trun") continue;
    const has = view.getUint32(trun.data) & 0xffffff;
    const count = view.getUint32(trun.data + 4);
    place = trun.data + 8;
    const field = (bit: number, otherwise: number): number => (has & bit ? view.getUint32((place += 4) - 4) : otherwise);
    if (has & 0x1) at = base + view.getInt32((place += 4) - 4);
    const first = field(0x4, flags);
    const wide = [0x100, 0x200, 0x400, 0x800].filter((bit) => has & bit).length * 4;
    if (place + count * wide > trun.to || track.samples.length + count > MOST_SAMPLES) throw noMovie();
    for (let i = 0; i < count; i++) {
      const [lasts, bytes] = [field(0x100, duration), field(0x200, size)];
      const how = field(0x400, i === 0 ? first : flags);
      const later = has & 0x800 ? view.getInt32((place += 4) - 4) : 0;
      if (at < mdat.data || at + bytes > mdat.to) throw noMovie();
      track.last += track.samples.at(-1)?.duration ?? 0;
      track.samples.push({ at, size: bytes, duration: lasts, later, keyframe: (how & NO_KEYFRAME) === 0 });
      at += bytes;
    }
  }
}

function stretch(track: Track, until: number): void {
  const { samples } = track;
  const last = samples.at(-1);
  if (last && until > track.last) samples[samples.length - 1] = { ...last, duration: until - track.last };
}

// ---- what is written

function writeMoov(clip: Bytes, moov: Box, tracks: readonly Track[], dataAt: number): Bytes {
  const view = viewOf(clip);
  const mvhd = find(clip, moov, "mvhd");
  if (!mvhd) throw noMovie();
  const timescale = view.getUint32(mvhd.data + (clip[mvhd.data] === 1 ? 20 : 12));
  const lasts = (track: Track, scale: number): number => Math.round((ticks(track) * scale) / (track.timescale || 1));
  const longest = Math.max(...tracks.map((track) => lasts(track, timescale)));
  const parts: Bytes[] = [];
  let at = dataAt;
  for (const box of boxes(clip, moov.data, moov.to)) {
    if (box.type === "mvex") continue;
    const track = tracks.find(({ trak }) => trak.from === box.from);
    if (box.type === "trak" && !track) continue;
    if (track) {
      parts.push(writeTrak(clip, track, lasts(track, timescale), at));
      at += track.samples.reduce((sum, { size }) => sum + size, 0);
    } else parts.push(box.type === "mvhd" ? withDuration(clip, box, 16, longest) : clip.slice(box.from, box.to));
  }
  return made("moov", ...parts);
}

function writeTrak(clip: Bytes, track: Track, shown: number, dataAt: number): Bytes {
  const rewrite = (box: Box): Bytes => {
    if (box.type === "elst") return withDuration(clip, box, 8, shown); // it was written when nothing was there to show
    if (box.type === "tkhd") return withDuration(clip, box, 20, shown);
    if (box.type === "mdhd") return withDuration(clip, box, 16, ticks(track));
    if (box.type === "stbl") return writeTables(clip, box, track, dataAt);
    return ["trak", "edts", "mdia", "minf"].includes(box.type) ? made(box.type, ...[...boxes(clip, box.data, box.to)].map(rewrite)) : clip.slice(box.from, box.to);
  };
  return rewrite(track.trak);
}

function writeTables(clip: Bytes, stbl: Box, { samples }: Track, dataAt: number): Bytes {
  const stsd = find(clip, stbl, "stsd")!;
  const keyframes = samples.flatMap(({ keyframe }, i) => (keyframe ? [i + 1] : []));
  const times = runs(samples.map(({ duration }) => duration));
  const later = runs(samples.map((one) => one.later));
  const tables = [clip.slice(stsd.from, stsd.to), table("stts", 0, times.length, times.flat())];
  if (samples.some((one) => one.later !== 0)) tables.push(table("ctts", 1, later.length, later.flat()));
  if (keyframes.length < samples.length) tables.push(table("stss", 0, keyframes.length, keyframes));
  // All pictures of a track are one chunk.
  tables.push(table("stsc", 0, 1, [1, samples.length, 1]));
  tables.push(made("stsz", u32(0), u32(0), u32(samples.length), words(samples.map(({ size }) => size))));
  tables.push(made("co64", u32(0), u32(1), u64be(dataAt)));
  return made("stbl", ...tables);
}

/** `[count, value]` for each stretch of equal values. */
function runs(values: readonly number[]): number[][] {
  const found: number[][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last?.[1] === value) last[0]!++;
    else found.push([1, value]);
  }
  return found;
}

function ticks({ samples }: Track): number {
  return samples.reduce((sum, { duration }) => sum + duration, 0);
}

/** A copy of *box* with another duration; *place* is where it stands in version 0. Version 1 has two longer times before it. */
function withDuration(clip: Bytes, box: Box, place: number, duration: number): Bytes {
  const copy = clip.slice(box.from, box.to);
  const view = viewOf(copy);
  const data = box.data - box.from;
  if (box.type === "elst" && view.getUint32(data + 4) !== 1) return new Uint8Array(0);
  if (copy[data] === 1) view.setBigUint64(data + place + (box.type === "elst" ? 0 : 8), BigInt(duration));
  else view.setUint32(data + place, Math.min(duration, 0xfffffffe));
  return copy;
}

function made(type: string, ...parts: Bytes[]): Bytes {
  const inner = join(...parts);
  return join(u32(inner.length + 8), ascii(type), inner);
}

function table(type: string, version: number, count: number, entries: readonly number[]): Bytes {
  return made(type, u32(version << 24), u32(count), words(entries));
}

function words(values: readonly number[]): Bytes {
  const bytes = new Uint8Array(values.length * 4);
  const view = viewOf(bytes);
  values.forEach((value, i) => view.setInt32(i * 4, value)); // the same 32 bits, signed or not
  return bytes;
}

function u32(value: number): Bytes {
  return words([value]);
}

function ascii(text: string): Bytes {
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function noMovie(): Refused {
  return new Refused("no_movie");
}
