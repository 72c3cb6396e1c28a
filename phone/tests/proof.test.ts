/** The two lines that the app shows for the day the door is gone are those that the command takes. */

import { expect, test } from "vitest";
import { proof } from "../src/door/proof";

test("the lines are the command's own words", () => {
  const text = proof(new Uint8Array(32).fill(255), new Uint8Array(16).fill(1), { index: 12, hash: new Uint8Array(32).fill(10) });
  expect(text).toBe(`--door-key //////////////////////////////////////////8=\n--head ${"01".repeat(16)}:12:${"0a".repeat(32)}`);
});
