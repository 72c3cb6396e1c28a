import { describe, expect, test } from "vitest";
import { Work } from "../src/backroom/work";
import { seal } from "../src/door/age";
import { base64, type Bytes, hex, utf8 } from "../src/door/bytes";
import { ageLine } from "../src/door/identity";
import type { Entry } from "../src/door/journal";
import { hashOf } from "../src/door/sign";
import { RECIPIENT, SECRET, TestDoor } from "./made";

const work = new Work(ageLine(SECRET));
const document = ({ index, prev, body, sig }: Entry): Bytes => utf8(JSON.stringify({ index, prev: base64(prev), body: base64(body!), sig: base64(sig) }));
const told = (kind: string) => utf8(JSON.stringify({ v: 1, kind, at: "x", clock: "synced", boot: 1, uptime: 1 }));

describe("the back room", () => {
  test("reads, checks and opens entries, in their order", async () => {
    const door = new TestDoor();
    const entries = [door.entry(await seal(told("ring"), [RECIPIENT])), door.entry(await seal(told("visit"), [RECIPIENT]))];
    const looked = await work.look(entries.map(document), door.verifyKey);
    expect(looked.map(({ entry, signed, body }) => [entry?.index, signed, body?.kind])).toEqual([[1, true, "ring"], [2, true, "visit"]]);
  });

  test("opens nothing that the door did not sign", async () => {
    const door = new TestDoor();
    const entry = door.entry(await seal(told("ring"), [RECIPIENT]));
    expect(await work.look([document(entry)], new TestDoor(2).verifyKey)).toMatchObject([{ signed: false, body: null }]);
  });

  test("one that cannot be read, or is sealed to others, does not stop the rest", async () => {
    const door = new TestDoor();
    const entries = [door.entry(utf8("no age file")), door.entry(await seal(utf8("no JSON"), [RECIPIENT])), door.entry(await seal(told("ring"), [RECIPIENT]))];
    const looked = await work.look([utf8("{"), ...entries.map(document)], door.verifyKey);
    expect(looked.map(({ entry, body }) => [entry?.index ?? null, body?.kind ?? null])).toEqual([[null, null], [1, null], [2, null], [3, "ring"]]);
  });

  test("gives a clip only when it is the one that was named", async () => {
    const sealed = await seal(utf8("film"), [RECIPIENT]);
    expect(await work.clip(sealed, hex(hashOf(sealed)))).toMatchObject({ ending: "opens", plain: utf8("film") });
    await expect(work.clip(sealed, hex(hashOf(utf8("another"))))).rejects.toMatchObject({ word: "forged" });
  });
});
