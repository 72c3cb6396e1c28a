import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { hex, unbase64 } from "../src/door/bytes";
import { acceptRoster, knownRoster, type SignedText } from "../src/door/roster";
import { signed } from "../src/door/sign";
import { vectors } from "./vectors";

interface Case {
  name: string;
  present: SignedText | null;
  document: unknown;
  good: boolean;
  word?: string;
  hash?: string;
  members?: string[];
}

const there = existsSync(fileURLToPath(new URL("../../tests/vectors/roster/revisions.json", import.meta.url)));

describe.skipIf(!there)("a revision of the household", () => {
  const file = there
    ? vectors<{ door: string; door_verify_key: string; cases: Case[] }>("roster/revisions.json")
    : { door: "", door_verify_key: "", cases: [] };
  const key = unbase64(file.door_verify_key)!;

  for (const one of file.cases)
    test(one.name, async () => {
      const present = one.present && knownRoster(one.present);
      const reading = acceptRoster(one.document, file.door, key, present);
      if (!one.good) return expect(reading).rejects.toMatchObject({ word: one.word });
      const roster = await reading;
      expect(hex(roster.hash)).toBe(one.hash);
      expect(roster.members.map((member) => member.id)).toEqual(one.members);
    });

  test("the label keeps a roster's signature from being any other", async () => {
    const first = file.cases[0]!.document as SignedText;
    const text = new TextEncoder().encode(first.json);
    expect(await signed("roster", text, unbase64(first.sig)!, key)).toBe(true);
    expect(await signed("alert", text, unbase64(first.sig)!, key)).toBe(false);
  });
});
