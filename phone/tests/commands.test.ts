import { ed25519 } from "@noble/curves/ed25519.js";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { seal } from "../src/door/age";
import { type Bytes, fromUtf8, join, unbase64, utf8 } from "../src/door/bytes";
import { type Command, commandText, readReply } from "../src/door/command";
import type { Fields } from "../src/door/json";
import { labelled } from "../src/door/sign";
import { opener, RECIPIENT } from "./made";
import { vectors } from "./vectors";

const there = existsSync(fileURLToPath(new URL("../../tests/vectors/commands/replies.json", import.meta.url)));

describe.skipIf(!there)("commands, as the door's tests know them", () => {
  const traces = there
    ? vectors<{ signing_seeds: Record<string, string>; cases: { name: string; steps: { plain?: string; verdict: string }[] }[] }>("commands/acceptance.json")
    : { signing_seeds: {}, cases: [] };

  for (const { name, steps } of traces.cases)
    steps.forEach(({ plain, verdict }, step) => {
      if (verdict !== "carry out" || !plain) return;
      test(`${name}, step ${step}: the same text and signature`, () => {
        const whole = unbase64(plain)!;
        const text = whole.slice(64);
        const fields = JSON.parse(fromUtf8(text)!) as Fields;
        const command = { ...fields, epoch: unbase64(fields["epoch"])!, id: unbase64(fields["id"])! } as unknown as Command;
        if (fromUtf8(commandText(command)) !== fromUtf8(text)) return; // written by another hand: other white space
        const signatures = Object.values(traces.signing_seeds).map((seed) => ed25519.sign(labelled("command", text), unbase64(seed)!));
        expect(signatures).toContainEqual(whole.slice(0, 64));
      });
    });

  test("at least a command of each trace is written as this phone writes it", () => {
    const same = traces.cases.flatMap(({ steps }) => steps).filter(({ plain, verdict }) => {
      if (!plain || verdict !== "carry out") return false;
      const text = fromUtf8(unbase64(plain)!.slice(64))!;
      const fields = JSON.parse(text) as Fields;
      return fromUtf8(commandText({ ...fields, epoch: unbase64(fields["epoch"])!, id: unbase64(fields["id"])! } as unknown as Command)) === text;
    });
    expect(same.length).toBeGreaterThan(5);
  });

  const file = there
    ? vectors<{ door: string; verify_key: string; cases: { name: string; good: boolean; plain: string }[] }>("commands/replies.json")
    : { door: "", verify_key: "", cases: [] };
  for (const one of file.cases)
    test(`a reply: ${one.name}`, async () => {
      const plain = unbase64(one.plain)!;
      const to = one.good ? ((JSON.parse(fromUtf8(plain.slice(64))!) as Fields)["to"] as string) : "anybody";
      const reading = readReply(await seal(plain, [RECIPIENT]), opener, unbase64(file.verify_key)!, file.door, to);
      if (one.good) expect((await reading).head?.index).toBeGreaterThan(0);
      else await expect(reading).rejects.toThrow();
    });

  test("a reply to somebody else is not ours", async () => {
    const plain = unbase64(file.cases[0]!.plain)!;
    const reading = readReply(await seal(plain, [RECIPIENT]), opener, unbase64(file.verify_key)!, file.door, "b".repeat(26));
    await expect(reading).rejects.toMatchObject({ word: "door" });
  });
});

test("a reply that is not sealed to this phone is refused", async () => {
  await expect(readReply(join(utf8("nothing")) as Bytes, opener, new Uint8Array(32), "front", "me")).rejects.toMatchObject({ word: "not_age" });
});
