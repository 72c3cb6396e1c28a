import { describe, expect, test } from "vitest";
import { readHours, writeHours } from "../src/door/hours";

const LINES = ["mon-fri 22:00-06:30", "sat,sun 00:00-24:00", "daily 18:00-23:00", "mon 07:00-08:00", "tue-thu,sun 09:00-17:00", "mon,wed,fri 09:00-10:00"];

describe("the hours when motion counts", () => {
  for (const line of LINES)
    test(`${line} is read and written as it was`, () => {
      expect(writeHours(readHours(line)!)).toBe(line);
    });

  test("a stretch may go over Sunday", () => {
    expect(readHours("fri-mon 09:00-10:00")!.days).toEqual([true, false, false, false, true, true, true]);
  });

  test("until midnight is until 24:00, as the door writes it", () => {
    const hours = readHours("mon 18:00-23:00")!;
    expect(writeHours({ ...hours, to: "00:00" })).toBe("mon 18:00-24:00");
  });

  test("without a day, without a time, or with no time between, nothing is written", () => {
    const hours = readHours("mon 18:00-23:00")!;
    for (const wrong of [{ days: hours.days.map(() => false) }, { from: "" }, { to: "" }, { to: "18:00" }]) expect(writeHours({ ...hours, ...wrong })).toBeNull();
  });

  test("what a newer door may write is not guessed at", () => {
    for (const wrong of ["always", "mon", "mon 9:00-10:00", "xyz 09:00-10:00", "mon-tue-wed 09:00-10:00", 7, null]) expect(readHours(wrong)).toBeNull();
  });
});
