import { x25519 } from "@noble/curves/ed25519.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { seal } from "../src/door/age";
import { base64, type Bytes, fromUtf8, join, utf8 } from "../src/door/bytes";
import { DoorClock } from "../src/door/clock";
import type { Fields } from "../src/door/json";
import { readObject } from "../src/door/json";
import { Asking, now } from "../src/household/asking";
import { EPOCH, JOURNAL, opener, RECIPIENT, TestDoor } from "./made";

const door = new TestDoor();
const SEED = new Uint8Array(32).fill(8);
const boxKey = x25519.getPublicKey(x25519.utils.randomSecretKey()) as Bytes;

/** A phone whose signatures take now this long and now that; what it signed and sent, by counter. */
function phone() {
  const signed: number[] = [];
  const ids: string[] = [];
  const sent: number[] = [];
  let slow = 3;
  const sign = async (message: Bytes): Promise<Bytes> => {
    const command = readObject(fromUtf8(message.slice(message.indexOf(0) + 1))!)!;
    for (let turns = slow--; turns > 0; turns--) await new Promise((resume) => setTimeout(resume));
    signed.push(Number(command["counter"]));
    ids.push(String(command["id"]));
    return ed25519.sign(message, SEED) as Bytes;
  };
  const clock = new DoorClock();
  clock.begin(EPOCH);
  clock.heard(100, now(), now());
  const facts = { door: "front", roster: 1, verifyKey: door.verifyKey, boxKey };
  const asking = new Asking({ verifyKey: ed25519.getPublicKey(SEED) as Bytes, sign }, opener, clock, () => facts, () => {
    sent.push(signed.at(-1)!);
    return true;
  });
  return { asking, signed, sent, ids };
}

function reply(to: string, id: string, more: Fields = {}): Promise<Bytes> {
  const facts = { v: 1, door: "front", to, id, epoch: base64(EPOCH), uptime: 101, journal: base64(JOURNAL), head: null, result: {}, ...more };
  const text = utf8(JSON.stringify(facts));
  return seal(join(door.sign("reply", text), text), [RECIPIENT]);
}

describe.each(["with Web Locks", "without"])("commands, %s", (locks) => {
  beforeEach(() => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) });
    let last: Promise<unknown> = Promise.resolve();
    const request = (_: string, work: () => unknown) => (last = last.then(work, work));
    vi.stubGlobal("navigator", locks === "without" ? {} : { locks: { request } });
  });

  test("leave in the order of their counters, however long each signature takes", async () => {
    const { asking, signed, sent } = phone();
    for (let n = 0; n < 4; n++) void asking.ask("poster", {}).catch(() => null);
    await vi.waitFor(() => expect(sent).toHaveLength(4));
    expect(signed).toEqual(signed.toSorted((a, b) => a - b));
    expect(sent).toEqual(signed);
    expect(new Set(sent).size).toBe(4);
    asking.giveUp();
  });

  test("do not wait for each other's answers", async () => {
    const { asking, sent, ids } = phone();
    const [first, second] = [asking.ask("journal", {}), asking.ask("poster", {})];
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    await asking.hear(await reply(asking.me, ids[1]!, { result: { second: true } }));
    expect((await second).result).toEqual({ second: true });
    await asking.hear(await reply(asking.me, ids[0]!));
    expect((await first).result).toEqual({});
  });

  test("are answered after what the answer says of the journal was believed", async () => {
    const { asking, sent, ids } = phone();
    const order: string[] = [];
    void asking.ask("journal", {}).then(() => order.push("answered"));
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    await asking.hear(await reply(asking.me, ids[0]!), async (heard) => {
      await new Promise((resume) => setTimeout(resume));
      order.push(base64(heard.journal));
    });
    await vi.waitFor(() => expect(order).toEqual([base64(JOURNAL), "answered"]));
  });

  test("that cannot be sent fail at once", async () => {
    const { asking } = phone();
    const offline = new Asking({ verifyKey: ed25519.getPublicKey(SEED) as Bytes, sign: async () => new Uint8Array(64) }, opener, new DoorClock(), () => null, () => false);
    await expect(offline.ask("hello")).rejects.toMatchObject({ word: "offline" });
    expect(asking.me).toHaveLength(26);
  });
});
