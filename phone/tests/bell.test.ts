import { describe, expect, test } from "vitest";
import { Bell } from "../src/door/alert";
import { base64 } from "../src/door/bytes";
import { DoorClock } from "../src/door/clock";
import { readHello } from "../src/door/hello";
import { EPOCH, opener, TestDoor } from "./made";

const door = new TestDoor();

function awake(): DoorClock {
  const clock = new DoorClock();
  clock.begin(EPOCH);
  return clock;
}

function hear(bell: Bell, payload: Uint8Array, clock: DoorClock, now = 0) {
  return bell.hear(payload, "front", opener, door.verifyKey, clock, now);
}

describe("the bell", () => {
  test("rings for the door's own alert, and tells its visit", async () => {
    expect(await hear(new Bell(), await door.alert(), awake())).toMatchObject({ kind: "ring", visit: "aaaa", ageKnown: false });
  });

  test("rings once for a visit, however often the broker says it", async () => {
    const bell = new Bell();
    const payload = await door.alert();
    await hear(bell, payload, awake());
    await expect(hear(bell, payload, awake())).rejects.toMatchObject({ word: "again" });
    await expect(hear(bell, await door.alert(), awake())).rejects.toMatchObject({ word: "again" });
  });

  test("rings once for a visit, also when the page was loaded anew in between", async () => {
    const before = new Bell();
    await hear(before, await door.alert(), awake());
    await expect(hear(new Bell(before.rung), await door.alert(), awake())).rejects.toMatchObject({ word: "again" });
    expect(await hear(new Bell(before.rung), await door.alert({ visit: "bbbb" }), awake())).toMatchObject({ visit: "bbbb" });
  });

  test.each([
    ["another door's signature", new TestDoor(2).alert(), "signature"],
    ["a signature made for something else", door.alert({}, "reply"), "signature"],
    ["an earlier start of the door", door.alert({ epoch: base64(new Uint8Array(16)) }), "epoch"],
    ["another door of the household", door.alert({ door: "back" }), "door"],
    ["a kind that nobody knows", door.alert({ kind: "shout" }), "damaged"],
    ["no uptime", door.alert({ uptime: "soon" }), "damaged"],
  ])("does not ring for %s", async (_, payload, word) => {
    await expect(hear(new Bell(), await payload, awake())).rejects.toMatchObject({ word });
  });

  test("does not ring before the door has said hello", async () => {
    await expect(hear(new Bell(), await door.alert(), new DoorClock())).rejects.toMatchObject({ word: "epoch" });
  });

  test("does not ring for an alert that a broker kept for more than a minute", async () => {
    const clock = awake();
    clock.heard(100, 0, -1); // the door answered: its uptime is 100 to 101 now
    await expect(hear(new Bell(), await door.alert({ uptime: 100 }), clock, 60.1)).rejects.toMatchObject({ word: "old" });
    expect(await hear(new Bell(), await door.alert({ uptime: 100 }), clock, 59.9)).toMatchObject({ ageKnown: true });
  });

  test("a younger alert shows how old an earlier one is, also when the door never answered", async () => {
    const clock = awake();
    const bell = new Bell();
    await hear(bell, await door.alert({ uptime: 200, visit: "bbbb" }), clock, 10);
    await expect(hear(bell, await door.alert({ uptime: 100 }), clock, 10)).rejects.toMatchObject({ word: "old" });
  });

  test("a test rings, and says that it is one", async () => {
    expect(await hear(new Bell(), await door.alert({ kind: "test" }), awake())).toMatchObject({ kind: "test" });
  });
});

describe("hello", () => {
  test("is believed by its own key only as long as none is known", async () => {
    expect((await readHello(door.hello(), "front", null)).verifyKey).toEqual(door.verifyKey);
    await expect(readHello(new TestDoor(2).hello(), "front", door.verifyKey)).rejects.toMatchObject({ word: "signature" });
  });

  test.each([
    ["another door's name", { door: "back" }, "door"],
    ["another version", { v: 2 }, "door"],
    ["a key of 31 bytes", { box_key: base64(new Uint8Array(31)) }, "damaged"],
    ["no journal", { journal: undefined }, "damaged"],
  ])("with %s is refused", async (_, changed, word) => {
    await expect(readHello(door.hello(changed), "front", null)).rejects.toMatchObject({ word });
  });

  test("one changed byte is refused", async () => {
    const payload = door.hello();
    payload[40]! ^= 1;
    await expect(readHello(payload, "front", null)).rejects.toThrow();
  });
});

test("an expiry is never more than a minute ahead of the door, whatever the link took", () => {
  const clock = awake();
  expect(clock.expiry(30, 0)).toBeNull();
  clock.heard(500, 10, 8); // asked at 8, answered at 10: at 10 the door's uptime is 500 to 502
  expect(clock.expiry(30, 10)).toBe(530);
  clock.begin(new Uint8Array(16));
  expect(clock.expiry(30, 11)).toBeNull();
});
