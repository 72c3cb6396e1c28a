import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readHealth } from "../src/household/health";
import { read } from "../src/household/settings";
import { Story } from "../src/household/story";
import type { Body } from "../src/door/journal";
import { topicsOf } from "../src/link/topics";

const body = (kind: string, more: object = {}): Body => ({ kind, at: "2026-01-01T00:00:00Z", clock: "synced", boot: 1, uptime: 1, v: 1, ...more });
const live = (what: string, session: string, who = "anna") => body("live", { what, session, who });

describe("who watches live, from the journal", () => {
  test("from the beginning of a session to its end", () => {
    const story = new Story();
    story.add(1, live("began", "a"));
    story.add(2, live("began", "b", "ben"));
    expect(story.watching).toEqual(["anna", "ben"]);
    story.add(3, live("ended", "a"));
    expect(story.watching).toEqual(["ben"]);
  });

  test("told backwards it is the same", () => {
    const story = new Story();
    story.add(3, live("ended", "a"));
    story.add(2, live("began", "b", "ben"));
    story.add(1, live("began", "a"));
    expect(story.watching).toEqual(["ben"]);
  });

  test("no session outlives a start of the door, and a look at one picture is none", () => {
    const story = new Story();
    story.add(1, live("began", "a"));
    story.add(2, body("started"));
    story.add(3, body("live", { what: "still", who: "anna" }));
    expect(story.watching).toEqual([]);
  });
});

describe("how the door is", () => {
  test("what it says is taken, what it does not say is unknown", () => {
    const health = { problems: ["camera", 7], disk: 12.5, temperature: null, throttled: false, started: "x", version: "1", newer: {} };
    expect(readHealth(health)).toEqual({ problems: ["camera"], disk: 12.5, temperature: null, throttled: false, rssi: null, started: "x", version: "1" });
  });

  test("an older door says nothing", () => {
    for (const wrong of [undefined, null, "well", []]) expect(readHealth(wrong)).toBeNull();
  });
});

describe("the settings as the door tells them", () => {
  const settings = {
    privacy: { masks: [[[0, 0], [0.5, 0], [0.5, 1]]] },
    motion: { zones: [], sensitivity: "high", record_on: "press", schedule: ["daily 18:00-23:00"] },
    visit: { linger_s: 20 },
    storage: { days: 3 },
  };

  test("are all there", () => {
    const found = read({ settings, local: "sun 21:14" });
    expect(found).toMatchObject({ sensitivity: "high", recordOn: "press", linger: 20, days: 3, local: "sun 21:14", zones: [] });
    expect(found.masks).toHaveLength(1);
    expect(found.schedule).toEqual([{ days: Array(7).fill(true), from: "18:00", to: "23:00" }]);
  });

  test("an older door lacks some, a damaged answer is refused", () => {
    const { visit: _, ...older } = settings;
    expect(read({ settings: older })).toMatchObject({ linger: 10, local: null });
    expect(() => read({ settings: { motion: {} } })).toThrow("damaged");
    expect(() => read({})).toThrow("damaged");
  });
});

test("the phone hears exactly what the broker's rules let it read", () => {
  const page = readFileSync(new URL("../../docs/formats/mqtt.md", import.meta.url), "utf8");
  const row = page.split("\n").find((line) => line.startsWith("| a phone `%u` |"))!;
  const allowed = row.split("|")[3]!.match(/`…\/([^`]+)`/g)!.map((one) => one.slice(3, -1));
  expect(topicsOf("%u").toSorted()).toEqual(allowed.toSorted());
});
