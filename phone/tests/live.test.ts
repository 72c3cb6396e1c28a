import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { hex, join, unbase64, utf8 } from "../src/door/bytes";
import { LiveReceiver, liveMessage } from "../src/door/live";
import { hashOf } from "../src/door/sign";
import { vectors } from "./vectors";

const secret = new Uint8Array(32).fill(1);
const session = new Uint8Array(16).fill(2);
const key = hkdf(sha256, secret, undefined, join(utf8("doorbell/v1/live-down"), session), 32);
const [FIRST, LAST, KEY] = [1, 2, 4];

const message = (number: number, kind: "init" | "video", flags: number, text: string) => liveMessage(key, session, number, kind, flags, utf8(text));

describe("live view", () => {
  test("a fragment in three messages is one again", () => {
    const receiver = new LiveReceiver(secret, session);
    expect(receiver.take(message(0, "init", FIRST | LAST, "head"))).toMatchObject({ kind: "init", bytes: utf8("head") });
    expect(receiver.take(message(1, "video", FIRST | KEY, "a"))).toBeNull();
    expect(receiver.take(message(2, "video", KEY, "b"))).toBeNull();
    expect(receiver.take(message(3, "video", LAST | KEY, "c"))).toEqual({ kind: "video", bytes: utf8("abc"), keyframe: true });
  });

  test("a number is used once: replays and what comes late are dropped", () => {
    const receiver = new LiveReceiver(secret, session);
    const [one, two] = [message(1, "init", FIRST | LAST, "1"), message(2, "init", FIRST | LAST, "2")];
    expect(receiver.take(two)).not.toBeNull();
    expect(receiver.take(two)).toBeNull();
    expect(receiver.take(one)).toBeNull();
    expect(receiver.dropped).toBe(2);
  });

  test("after a gap it waits for a keyframe", () => {
    const receiver = new LiveReceiver(secret, session);
    expect(receiver.take(message(0, "video", FIRST | LAST, "no keyframe yet"))).toBeNull();
    expect(receiver.take(message(1, "video", FIRST | LAST | KEY, "key"))).not.toBeNull();
    expect(receiver.take(message(2, "video", FIRST | LAST, "next"))).not.toBeNull();
    expect(receiver.take(message(4, "video", FIRST | LAST, "behind a gap"))).toBeNull();
    expect(receiver.take(message(5, "video", FIRST | LAST | KEY, "key"))).not.toBeNull();
  });

  test("another session, another key, a changed byte: dropped, and nothing is remembered of it", () => {
    const receiver = new LiveReceiver(secret, session);
    const other = liveMessage(key, new Uint8Array(16), 9, "init", FIRST | LAST, utf8("x"));
    const changed = message(9, "init", FIRST | LAST, "x");
    changed[20]! ^= 1;
    for (const wrong of [other, changed, new Uint8Array(5)]) expect(receiver.take(wrong)).toBeNull();
    expect(receiver.take(message(3, "init", FIRST | LAST, "x"))).not.toBeNull();
  });
});

describe("live view as the door says it", () => {
  const file = vectors<{ secret: string; session: string; messages: string[]; cases: { name: string; hears: number[]; shown: string[] }[] }>("live/messages.json");
  for (const { name, hears, shown } of file.cases)
    test(name, () => {
      const receiver = new LiveReceiver(unbase64(file.secret)!, unbase64(file.session)!);
      const seen = hears.map((one) => receiver.take(unbase64(file.messages[one]!)!)).filter((one) => one !== null);
      expect(seen.map(({ kind, bytes }) => `${kind}:${hex(hashOf(bytes))}`)).toEqual(shown);
    });
});
