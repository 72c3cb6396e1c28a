import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Refused } from "../src/door/refused";
import { length, playTime, sentence } from "../src/app/shown";
import { T } from "../src/texts";

const SRC = new URL("../src/", import.meta.url);
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => [name, readFileSync(new URL(name, SRC), "utf8")] as const);

const page = readFileSync(new URL("../../docs/formats/commands.md", import.meta.url), "utf8");
const reasons = page.slice(page.indexOf("| refused | because |")).match(/(?<=^\| `)\w+(?=` \|)/gm)!;

describe("why something was refused", () => {
  test("is said for every reason on the door's closed list", () => {
    expect(reasons.length).toBeGreaterThan(20);
    expect(reasons.filter((word) => !(word in T.error))).toEqual([]);
  });

  test("is said for every word of this app's own", () => {
    const words = sources.flatMap(([name, text]) =>
      name === "door/alert.ts" ? [] : [...text.matchAll(/new Refused\("(\w+)"/g)].map(([, word]) => word!),
    );
    expect(words.length).toBeGreaterThan(40);
    expect(words.filter((word) => !(word in T.error))).toEqual([]);
    for (const word of ["old", "home", "blocked", "key"]) expect(T.error).toHaveProperty(`push_${word}`);
  });

  test("is said with what it needs, and never as a bare word", () => {
    expect(sentence(new Refused("word", 5))).toContain("Word 5");
    expect(sentence(new Refused("count", 23))).toContain("23 are here");
    for (const word of ["newer", "constructor"]) expect(sentence(new Refused(word))).toBe(T.refused);
  });

  test("stands in texts.ts alone", () => {
    const spoken = sources.filter(([, text]) => /new Refused\([^,()]+,\s*["'`]/.test(text));
    expect(spoken.map(([name]) => name)).toEqual([]);
  });
});

test("lengths are said in words, and a clip's as its player shows it", () => {
  expect([length(8.6), length(200)]).toEqual(["9 s", "3 min 20 s"]);
  expect([playTime(8.6), playTime(200)]).toEqual(["0:08", "3:20"]);
});
