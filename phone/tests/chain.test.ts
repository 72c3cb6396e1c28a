import { describe, expect, test } from "vitest";
import { Chain } from "../src/door/chain";
import { same } from "../src/door/bytes";
import { TestDoor } from "./made";

const indexes = (taken: unknown): number[] =>
  taken && typeof taken === "object" && "entries" in taken ? (taken.entries as { index: number }[]).map((one) => one.index) : [];

describe("entries as they arrive", () => {
  test("history begins with the first one that comes", async () => {
    const door = new TestDoor();
    door.entry();
    const second = door.entry();
    const chain = new Chain(door.verifyKey);
    expect(indexes(await chain.take(second))).toEqual([2]);
    expect(chain.head?.index).toBe(2);
  });

  test("one that comes early waits for those between", async () => {
    const door = new TestDoor();
    const [one, two, three, four] = [door.entry(), door.entry(), door.entry(), door.entry()];
    const chain = new Chain(door.verifyKey);
    await chain.take(one);
    expect(await chain.take(four)).toBe("waits");
    expect(await chain.take(three)).toBe("waits");
    expect(chain.missing).toBe(1);
    expect(indexes(await chain.take(two))).toEqual([2, 3, 4]);
    expect(chain.missing).toBe(0);
  });

  test("the same entry twice is one", async () => {
    const door = new TestDoor();
    const one = door.entry();
    const chain = new Chain(door.verifyKey);
    await chain.take(one);
    expect(await chain.take(one)).toBe("known");
  });

  test("an entry of somebody else changes nothing", async () => {
    const door = new TestDoor();
    const chain = new Chain(door.verifyKey);
    await chain.take(door.entry());
    const stranger = new TestDoor(2);
    stranger.entry();
    expect(await chain.take(stranger.entry())).toBe("forged");
    expect(chain.head?.index).toBe(1);
  });

  test("a door that writes its history anew is found out, at the entry it changed and behind it", async () => {
    const door = new TestDoor();
    const chain = new Chain(door.verifyKey);
    await chain.take(door.entry());
    await chain.take(door.entry());
    const again = new TestDoor();
    again.entry();
    const other = again.entry(new Uint8Array([77]));
    expect(await chain.take(other)).toEqual({ fault: { index: 2, word: "rewritten" } });
    expect(await chain.take(again.entry())).toEqual({ fault: { index: 3, word: "prev" } });
  });

  test("any removal below a head that was seen is found", async () => {
    const door = new TestDoor();
    const entries = Array.from({ length: 12 }, () => door.entry());
    for (let gone = 2; gone <= 11; gone++) {
      const chain = new Chain(door.verifyKey);
      for (const entry of entries) if (entry.index !== gone) await chain.take(entry);
      expect([gone, chain.head?.index, chain.missing]).toEqual([gone, gone - 1, 1]);
    }
  });

  test("an older head in a reply, or another one, is a fault; the same or a newer one is none", async () => {
    const door = new TestDoor();
    const chain = new Chain(door.verifyKey);
    const [one, two] = [door.entry(), door.entry()];
    await chain.take(one);
    await chain.take(two);
    expect(chain.compare(one)).toMatchObject({ word: "behind" });
    expect(chain.compare(two)).toBeNull();
    expect(chain.compare(door.entry())).toBeNull();
    expect(chain.compare({ index: 2, hash: one.hash })).toMatchObject({ word: "rewritten" });
    expect(same(chain.head!.hash, two.hash)).toBe(true);
  });
});
