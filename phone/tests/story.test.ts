import { describe, expect, test } from "vitest";
import type { Body } from "../src/door/journal";
import { Story } from "../src/household/story";
import { rowsOf } from "../src/app/history";

const body = (kind: string, more: object = {}): Body => ({ v: 1, kind, at: "2026-03-01T07:30:00Z", clock: "synced", boot: 1, uptime: 1, ...more });

test("a ring and its clip are one visit", () => {
  const story = new Story();
  story.add(1, body("started"));
  story.add(2, body("clip_started", { id: "c1", visit: "v1" }));
  story.add(3, body("ring", { visit: "v1" }));
  story.add(4, body("ring", { visit: "v1" }));
  story.add(5, body("clip", { id: "c1", visit: "v1", bytes: 9, sha256: "ab", seconds: 14.2, poster_sha256: "cd" }));
  expect(story.visits).toHaveLength(1);
  expect(story.visits[0]).toMatchObject({ id: "v1", rings: 2, clips: [{ id: "c1", state: "kept", seconds: 14.2, posterSha256: "cd" }] });
});

test("a visit whose ring is sealed to others was a ring, told in any order and counted once", () => {
  const [joined, forth, back] = [new Story(), new Story(), new Story()];
  const end = body("visit", { visit: "v1", trigger: "press", presses: 2, seconds: 9 });
  joined.add(1, null, 0, true);
  joined.add(3, end);
  expect(joined.visits[0]).toMatchObject({ rings: 2, seconds: 9 });
  const told: [number, Body][] = [[1, body("ring", { visit: "v1" })], [2, body("ring", { visit: "v1" })], [3, end]];
  for (const [index, one] of told) forth.add(index, one);
  for (const [index, one] of told.toReversed()) back.add(index, one);
  expect([forth.visits[0]!.rings, back.visits[0]!.rings]).toEqual([2, 2]);
});

test("a deleted clip is told by its entry, a vanished one is trouble", () => {
  const story = new Story();
  ["c1", "c2"].forEach((id, i) => story.add(i + 1, body("clip", { id, visit: `v-${id}`, bytes: 9 })));
  expect(story.add(3, body("clip_deleted", { id: "c1", why: "age" }))).toBe(false);
  expect(story.add(4, body("storage", { what: "vanished", clips: ["c2"] }))).toBe(true);
  expect(story.visits.map((one) => one.clips[0]!.state).sort()).toEqual(["deleted", "vanished"]);
});

test("told newest first, as at a start with much history, it is the same story", () => {
  const told: [number, Body][] = [
    [1, body("clip_started", { id: "c1", visit: "v1", at: "2026-03-01T07:00:00Z" })],
    [2, body("ring", { visit: "v1" })],
    [3, body("clip", { id: "c1", visit: "v1", bytes: 9, seconds: 3 })],
    [4, body("clip_deleted", { id: "c1", why: "age" })],
  ];
  const [forth, back] = [new Story(), new Story()];
  for (const [index, one] of told) forth.add(index, one);
  for (const [index, one] of told.toReversed()) back.add(index, one);
  expect(back.visits).toEqual(forth.visits);
  expect(back.visits[0]).toMatchObject({ index: 1, at: "2026-03-01T07:00:00Z", clips: [{ state: "deleted", seconds: 3 }] });
});

test("which entry says that a clip is kept, until another one says otherwise", () => {
  const story = new Story();
  story.add(1, body("clip_started", { id: "c1", visit: "v1" }));
  expect(story.keeps("c1", 0)).toBeNull();
  story.add(2, body("clip", { id: "c1", visit: "v1", bytes: 9 }));
  expect(story.keeps("c1", 0)).toBe(2);
  expect(story.keeps("c1", 1)).toBeNull(); // an older card's
  story.add(3, body("clip_deleted", { id: "c1", why: "age" }));
  expect(story.keeps("c1", 0)).toBeNull();
});

test("what the door has forgotten is told no more, and the rest stays", () => {
  const story = new Story();
  story.add(7, body("ring", { visit: "former" }));
  story.add(1, body("ring", { visit: "old" }), 1);
  story.add(2, body("ring", { visit: "young" }), 1);
  story.add(3, body("clip_deleted", { id: "c1", why: "age" }), 1);
  story.add(4, body("forgotten", { bodies: 1, before: 2, why: "age" }), 1);
  expect(story.forget().toSorted()).toEqual(["former", "old"]);
  expect(story.visits.map((one) => one.id)).toEqual(["young"]);
  expect([...story.lines.values()].map((one) => one.body === null)).toEqual([true, true, false, false, false]);
  story.add(5, body("forgotten", { bodies: 1, before: 2 ** 40, why: "age" }), 1); // no entry forgets what comes behind it
  expect(story.forget()).toEqual(["young"]);
  expect(story.lines.get(2 ** 32 + 5)!.body).not.toBeNull();
});

test("a fresh card counts from 1 again, and its entries are told behind those of the one before", () => {
  const story = new Story();
  story.add(1, body("ring", { visit: "new" }), 1);
  story.add(1, body("ring", { visit: "old" }), 0);
  story.add(2, body("ring", { visit: "later" }), 0);
  expect(story.visits.map((one) => one.id)).toEqual(["new", "later", "old"]);
  expect([...story.lines.values()].map((one) => one.index)).toEqual([1, 1, 2]);
});

test("what a newer door says in another way does not stop the story", () => {
  const story = new Story();
  story.add(1, body("glow", { visit: 7 }));
  story.add(2, body("clip", { id: 5, visit: ["v"] }));
  story.add(3, body("ring", { visit: "v1" }));
  story.add(4, null);
  expect(story.visits.map((one) => one.id)).toEqual(["v1"]);
  expect(story.lines.size).toBe(4);
});

test("the timeline has a heading a day, newest first, and its filters", () => {
  const story = new Story();
  story.add(1, body("ring", { visit: "a", at: "2026-03-01T12:00:00Z" }));
  story.add(2, body("visit", { visit: "b", at: "2026-03-02T12:00:00Z" }));
  story.add(3, body("ring", { visit: "c", at: "2026-03-02T13:00:00Z" }));
  const shape = (filter: "all" | "rings" | "seen") => rowsOf(story.visits, filter, true).map((row) => ("visit" in row ? row.visit.id : "day" in row ? "day" : "end"));
  expect(shape("all")).toEqual(["day", "c", "b", "day", "a", "end"]);
  expect(shape("rings")).toEqual(["day", "c", "day", "a", "end"]);
  expect(shape("seen")).toEqual(["day", "b", "end"]);
});

test("ten thousand visits are ten thousand rows", () => {
  const story = new Story();
  for (let i = 1; i <= 10_000; i++) story.add(i, body("ring", { visit: `v${i}` }));
  expect(rowsOf(story.visits, "all", false).filter((row) => "visit" in row)).toHaveLength(10_000);
});

describe("where history begins for this phone", () => {
  const story = (...lines: ("opens" | "sealed" | "forgotten")[]) => {
    const one = new Story();
    lines.forEach((line, i) => one.add(i + 1, line === "opens" ? body("started") : null, 0, line === "sealed"));
    return one.joinedLater;
  };

  test("what is sealed to others before the first that opens was before it joined", () => {
    expect(story("sealed", "sealed", "opens")).toBe(true);
    expect(story("sealed")).toBe(true);
  });

  test("with the door's own history, with what was forgotten, and not with an entry that a newer door wrote", () => {
    expect(story()).toBe(false);
    expect(story("opens", "opens")).toBe(false);
    expect(story("forgotten", "opens")).toBe(false);
    expect(story("opens", "sealed", "opens")).toBe(false);
  });
});
