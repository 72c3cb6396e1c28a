import { describe, expect, test } from "vitest";
import { type Ending, Opener, seal } from "../src/door/age";
import { base64, type Bytes, hex, join, unbase64, utf8 } from "../src/door/bytes";
import { hashOf } from "../src/door/sign";
import { asCryptoKey } from "./keys";
import { vectors } from "./vectors";

interface Vector {
  name: string;
  sealed: string[];
  take?: number;
  flip?: number;
  expect: Ending;
  opened: { bytes: number; sha256: string };
}
interface File {
  identity: string;
  pieces: Record<string, string>;
  vectors: Vector[];
}

function sealedOf(file: File, vector: Vector): Bytes {
  const whole = join(...vector.sealed.map((name) => unbase64(file.pieces[name])!));
  if (vector.flip !== undefined) whole[vector.flip]! ^= 1;
  return vector.take === undefined ? whole : whole.slice(0, vector.take);
}

for (const name of ["clip/header.json", "clip/stream.json"]) {
  const file = vectors<File>(name);
  describe(name, async () => {
    const key = await asCryptoKey(file.identity);
    for (const vector of file.vectors)
      for (const [how, identity] of [["text", file.identity], ["a key that stays inside", key]] as const)
        test(`${vector.name} with ${how}`, async () => {
          const { ending, plain } = await new Opener(identity).open(sealedOf(file, vector));
          expect(ending).toBe(vector.expect);
          expect({ bytes: plain.length, sha256: hex(hashOf(plain)) }).toEqual({
            bytes: vector.opened.bytes,
            sha256: vector.opened.sha256,
          });
        });

    test("in pieces of any size it ends the same", async () => {
      for (const vector of file.vectors) {
        const sealed = sealedOf(file, vector);
        const reader = new Opener(file.identity).reader();
        const parts: Bytes[] = [];
        for (let at = 0; at < sealed.length; at += 7001) parts.push(...(await reader.give(sealed.slice(at, at + 7001))));
        parts.push(...(await reader.end()));
        expect([vector.name, reader.ending]).toEqual([vector.name, vector.expect]);
        expect(hex(hashOf(join(...parts)))).toBe(vector.opened.sha256);
      }
    });
  });
}

test("what a phone seals to itself it opens", async () => {
  const { identity } = vectors<File>("clip/header.json");
  const { vectors: sealing } = vectors<{ vectors: { recipients: string[]; sealed: string; plaintext: string }[] }>(
    "clip/sealing.json",
  );
  const sealed = await seal(utf8("a reply"), [sealing[0]!.recipients[0]!]);
  expect(await new Opener(identity).openWhole(sealed)).toEqual(utf8("a reply"));
  for (const one of sealing) expect(base64(await new Opener(identity).openWhole(unbase64(one.sealed)!))).toBe(one.plaintext);
});
