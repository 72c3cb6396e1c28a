import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bytes } from "../src/door/bytes";
import { readMovie } from "../src/door/mp4";
import { remux } from "../src/door/remux";

const there = spawnSync("ffprobe", ["-version"]).status === 0 && spawnSync("ffmpeg", ["-version"]).status === 0;
const folder = mkdtempSync(path(tmpdir(), "remux-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A film as the door writes them, a fragment a picture; *more* goes to the encoder. */
function film(name: string, ...more: string[]): Bytes {
  const file = path(folder, name);
  execFileSync("ffmpeg", [
    "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=160x96:rate=10:duration=3", ...more, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10",
    "-movflags", "+empty_moov+default_base_moof+frag_every_frame", "-metadata", "comment=of a door", file,
  ]);
  return new Uint8Array(readFileSync(file)) as Bytes;
}

/** What a player finds: each picture's time and whether it is a keyframe, and the MD5 of everything decoded. */
function played(bytes: Bytes) {
  const file = path(folder, "played.mp4");
  writeFileSync(file, bytes);
  const probe = spawnSync("ffprobe", ["-v", "error", "-show_entries", "packet=pts,dts,flags,size:format=duration,nb_streams:format_tags=comment", "-of", "json", file]);
  const decoded = spawnSync("ffmpeg", ["-v", "error", "-i", file, "-map", "0", "-f", "streamhash", "-hash", "md5", "-"]);
  expect(String(probe.stderr) + String(decoded.stderr)).toBe("");
  const { packets, format } = JSON.parse(String(probe.stdout)) as { packets: { pts: number; dts: number; flags: string; size: string }[]; format: { duration: string; tags: { comment: string } } };
  return { packets: packets.map(({ pts, flags, size }) => [pts - packets[0]!.pts, flags[0], size]), seconds: Number(format.duration), comment: format.tags?.comment, md5: String(decoded.stdout) };
}

const kinds = (bytes: Bytes): string[] => {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const view = new DataView(bytes.buffer, at);
    const size = view.getUint32(0);
    found.push(String.fromCharCode(...bytes.subarray(at + 4, at + 8)));
    at += size === 1 ? Number(view.getBigUint64(8)) : size;
  }
  return found;
};

describe.skipIf(!there)("a clip saved as an ordinary MP4 (needs ffmpeg)", () => {
  let plain: Bytes;
  let swapped: Bytes;
  let heard: Bytes;
  beforeAll(() => {
    plain = film("plain.mp4", "-bf", "0");
    swapped = film("swapped.mp4", "-bf", "2");
    heard = film("heard.mp4", "-f", "lavfi", "-i", "sine=duration=3", "-bf", "0");
  });

  test("has its tables in front and no fragments", () => {
    expect(kinds(plain)).toContain("moof");
    expect(kinds(remux(plain))).toEqual(["ftyp", "moov", "mdat"]);
  });

  test("shows the same pictures at the same times, and is no encoding anew", () => {
    const [before, after] = [played(plain), played(remux(plain))];
    expect(after).toEqual(before);
    expect(after.packets).toHaveLength(30);
    expect(after.packets.filter(([, flag]) => flag === "K")).toHaveLength(3);
    expect(after.comment).toBe("of a door");
  });

  test("pictures that are shown in another order than they are decoded stay in theirs", () => {
    expect(played(remux(swapped)).md5).toBe(played(swapped).md5);
    expect(played(remux(swapped)).packets.map(([pts]) => pts)).toEqual(played(swapped).packets.map(([pts]) => pts));
  });

  test("a film with sound keeps both tracks", () => {
    const sizes = (bytes: Bytes) => played(bytes).packets.map(([, , size]) => Number(size)).sort((a, b) => a - b);
    expect(sizes(remux(heard))).toEqual(sizes(heard));
    expect(sizes(heard).length).toBeGreaterThan(100);
  });

  test("of a clip that a power cut ended, what is whole is saved", () => {
    const { fragments } = readMovie(plain);
    const cut = plain.slice(0, fragments[11]!.to + 40) as Bytes;
    expect(played(remux(cut)).packets).toHaveLength(12);
  });

  test("a gap in the film stays a gap", () => {
    const { init, fragments } = readMovie(plain);
    const kept = [...fragments.slice(0, 10), ...fragments.slice(20, 30)].map(({ from, to }) => plain.slice(from, to));
    const parts = [init, ...kept];
    const gappy = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      gappy.set(part, at);
      at += part.length;
    }
    const { packets, seconds } = played(remux(gappy));
    expect(packets).toHaveLength(20);
    expect(seconds).toBeCloseTo(3, 1);
  });

  test("tables that point outside the clip are refused, and no byte sequence does worse", () => {
    for (let n = 0; n < 400; n++) {
      const broken = plain.slice() as Bytes;
      broken[(n * 7919) % Math.min(broken.length, 4000)]! ^= 1 << (n % 8);
      try {
        remux(broken);
      } catch (error) {
        expect((error as Error).name).toBe("Refused");
      }
    }
  });

  test("what is no film is refused", () => {
    for (const wrong of [new Uint8Array(0), new Uint8Array(100), plain.slice(0, readMovie(plain).init.length)])
      expect(() => remux(wrong as Bytes)).toThrow("no_movie");
  });
});
