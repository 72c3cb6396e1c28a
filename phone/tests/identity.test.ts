import "fake-indexeddb/auto";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { beforeAll, describe, expect, test } from "vitest";
import { Opener, seal } from "../src/door/age";
import { utf8 } from "../src/door/bytes";
import { ageLine, memberId, recipientOf, secretFromAge, secretFromWords, wordsOf } from "../src/door/identity";
import { verifies } from "../src/door/sign";
import { Cupboard, under } from "../src/keep/cupboard";
import { newPhoneKeys, useKeys } from "../src/keep/keys";
import { vectors } from "./vectors";

const secret = new Uint8Array(32).map((_, i) => i * 7);

describe("the owner's words", () => {
  test("are the 32 bytes, in any case and spacing, numbered or not", () => {
    const words = wordsOf(secret, wordlist);
    expect(secretFromWords(words.join(" "), wordlist)).toEqual(secret);
    expect(secretFromWords(words.map((word, i) => `${i + 1}. ${word.toUpperCase()}`).join("\n"), wordlist)).toEqual(secret);
  });

  test("one wrong word is named by its place, two swapped ones by the checksum", () => {
    const words = wordsOf(secret, wordlist);
    expect(() => secretFromWords(words.with(4, "doorbel").join(" "), wordlist)).toThrow("word 5");
    expect(() => secretFromWords(words.slice(1).join(" "), wordlist)).toThrow("count 23");
    const swapped = words.with(0, words[1]!).with(1, words[0]!);
    expect(() => secretFromWords(swapped.join(" "), wordlist)).toThrow("checksum");
  });

  test("an age key or file gives the same bytes; a recipient or a typing error does not", () => {
    const line = ageLine(secret);
    expect(secretFromAge(line)).toEqual(secret);
    expect(secretFromAge(`# created: today\n# public key: x\n${line}\n`)).toEqual(secret);
    for (const wrong of [recipientOf(secret), line.slice(0, -1), line.toLowerCase(), "", `${line}\n${line}`])
      expect(() => secretFromAge(wrong)).toThrow();
    expect(recipientOf(secretFromAge(vectors<{ identity: string }>("clip/header.json").identity))).toMatch(/^age1/);
  });

  test("no message repeats the secret", () => {
    const line = ageLine(secret);
    try {
      secretFromAge(line.slice(0, -2));
    } catch (error) {
      expect(String(error)).not.toContain(line.slice(20, 30));
    }
  });
});

describe("keys on this phone", () => {
  beforeAll(() => {
    Object.defineProperty(globalThis, "isSecureContext", { value: true, configurable: true, writable: true });
  });

  test("come back from the cupboard, work, and cannot be taken out", async () => {
    const cupboard = await Cupboard.open("keys-test");
    const made = await newPhoneKeys();
    expect(made.opening).toBeInstanceOf(CryptoKey);
    await expect(crypto.subtle.exportKey("pkcs8", made.opening as CryptoKey)).rejects.toThrow();
    await expect(crypto.subtle.exportKey("pkcs8", made.signing as CryptoKey)).rejects.toThrow();
    const keys = await useKeys(made);
    expect(keys.locked).toBe(true);
    const sealed = await seal(utf8("for me"), [keys.recipient]);
    expect(await new Opener(keys.identity).openWhole(sealed)).toEqual(utf8("for me"));
    expect(await verifies(await keys.signer.sign(utf8("text")), utf8("text"), keys.signer.verifyKey)).toBe(true);
    cupboard.close();
  });

  test("where WebCrypto lacks these kinds they are wrapped, and work", async () => {
    const whole = crypto.subtle.importKey.bind(crypto.subtle);
    const lacking = (format: never, data: never, kind: { name?: string }, ...rest: [never, never]) =>
      kind.name === "X25519" || kind.name === "Ed25519" ? Promise.reject(new DOMException("", "NotSupportedError")) : whole(format, data, kind as never, ...rest);
    Object.defineProperty(crypto.subtle, "importKey", { value: lacking, configurable: true });
    try {
      const made = await newPhoneKeys();
      const keys = await useKeys(made);
      expect(keys.locked).toBe(false);
      const sealed = await seal(utf8("for the phone"), [keys.recipient]);
      expect(await new Opener(keys.identity).openWhole(sealed)).toEqual(utf8("for the phone"));
      expect(memberId(keys.signer.verifyKey)).toMatch(/^[a-z2-7]{26}$/);
    } finally {
      delete (crypto.subtle as { importKey?: unknown }).importKey;
    }
  });

  test("a page that came over plain http takes none", async () => {
    Object.assign(globalThis, { isSecureContext: false });
    try {
      await expect(newPhoneKeys()).rejects.toMatchObject({ word: "insecure" });
    } finally {
      Object.assign(globalThis, { isSecureContext: true });
    }
  });
});

test("the cupboard keeps each door's entries apart, in order", async () => {
  const cupboard = await Cupboard.open("shelves");
  await cupboard.put("entries", [
    [["front", "j", 2], "f2"],
    [["front", "j", 10], "f10"],
    [["front", "j", 1], "f1"],
    [["frontier", "j", 1], "other"],
  ]);
  expect(await cupboard.all("entries", under("front"))).toEqual(["f1", "f2", "f10"]);
  await cupboard.remove("entries", under("front"));
  expect(await cupboard.all("entries")).toEqual(["other"]);
  cupboard.close();
});

