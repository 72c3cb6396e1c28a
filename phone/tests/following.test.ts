import { ed25519 } from "@noble/curves/ed25519.js";
import { expect, test } from "vitest";
import { type Bytes, base64, utf8 } from "../src/door/bytes";
import { memberId, recipientOf } from "../src/door/identity";
import { knownRoster, type Member, nextRoster, type Role, type Roster, type SignedText } from "../src/door/roster";
import { labelled, type Signer } from "../src/door/sign";
import { follow } from "../src/household/following";

function signer(number: number): Signer {
  const seed = new Uint8Array(32).fill(number);
  return { verifyKey: ed25519.getPublicKey(seed) as Bytes, sign: (message) => Promise.resolve(ed25519.sign(message, seed) as Bytes) };
}

function member(name: string, number: number, role: Role = "admin"): Member {
  const { verifyKey } = signer(number);
  return { name, role, recipient: recipientOf(new Uint8Array(32).fill(number + 100)), verifyKey, id: memberId(verifyKey) };
}

const [DOOR, OWNER, ANNA, BEN, EVE] = [1, 2, 3, 4, 5] as const;
const owner = member("owner", OWNER);
const anna = member("Anna", ANNA);
const ben = member("Ben", BEN);

const first = await (async () => {
  const members = [owner, anna].map(({ name, role, recipient, verifyKey }) => ({ name, role, recipient, verify_key: base64(verifyKey) }));
  const json = JSON.stringify({ door: "front", revision: 1, prev: base64(new Uint8Array(32)), members, signer: "door" });
  return knownRoster({ json, sig: base64(await signer(DOOR).sign(labelled("roster", utf8(json)))) });
})();

/** Behind *before*, one revision for each of the signers, the last with *members*. */
async function later(before: Roster, members: readonly Member[], ...by: number[]): Promise<Roster> {
  let now = before;
  for (const number of by) now = knownRoster(await nextRoster(now, members, signer(number)));
  return now;
}

const told = (document: SignedText, present: Roster | null, named: Member | null = null) =>
  follow(document, "front", signer(DOOR).verifyKey, present, named).then(({ roster, trouble }) => [roster?.revision ?? null, trouble]);

test("the next revision is followed when an admin of the one before signed it, and denied when not", async () => {
  expect(await told((await later(first, [owner, anna, ben], ANNA)).document, first)).toEqual([2, null]);
  expect(await told((await later(first, [owner, anna, ben], EVE)).document, first)).toEqual([null, "roster"]);
});

test("several ahead: by an admin who is known it is followed in silence, by anybody else with a word", async () => {
  expect(await told((await later(first, [owner, anna, ben], ANNA, BEN, ANNA)).document, first)).toEqual([4, null]);
  expect(await told((await later(first, [owner, anna, ben], ANNA, BEN)).document, first)).toEqual([3, "household"]);
});

test("whoever holds the door's keys adds nobody without a word, nor in an admin's name", async () => {
  const { json } = (await later(first, [owner, anna, member("Eve", EVE)], ANNA, ANNA)).document;
  const sig = base64(await signer(DOOR).sign(labelled("roster", utf8(json))));
  expect(await told({ json, sig }, first)).toEqual([3, "household"]);
});

test("the owner stays who it is, however far ahead", async () => {
  const other = [member("owner", EVE), anna];
  expect(await told((await later(first, other, ANNA, ANNA)).document, first)).toEqual([null, "roster"]);
});

test("an older household, or another one of the same revision, is denied; the same one is no news", async () => {
  const second = await later(first, [owner, anna, ben], ANNA);
  expect(await told(second.document, second)).toEqual([null, null]);
  expect(await told((await later(first, [owner, anna], ANNA)).document, second)).toEqual([null, "roster"]);
  expect(await told(first.document, second)).toEqual([null, "roster"]);
});

test("a phone that knows no household takes revision 1 by the door's signature, and any by the owner it was told", async () => {
  expect(await told(first.document, null)).toEqual([1, null]);
  expect(await told({ ...first.document, sig: base64(new Uint8Array(64)) }, null)).toEqual([null, "roster"]);
  const second = await later(first, [owner, anna, ben], ANNA);
  expect(await told(second.document, null, owner)).toEqual([2, null]);
  expect(await told(second.document, null, member("owner", EVE))).toEqual([null, "roster"]);
});

test("another door's household is not this one's", async () => {
  const { document } = await later({ ...first, door: "back" }, [owner, anna], ANNA);
  expect(await told(document, first)).toEqual([null, "roster"]);
});
