import { describe, expect, it } from "vitest";
import { Turns } from "../src/household/turns";

/** Work that ends when it is told to, and what has begun so far. */
function works(turns: Turns, count: number) {
  const begun: number[] = [];
  const end: (() => void)[] = [];
  const given = Array.from({ length: count }, (_, number) =>
    turns.take(() => {
      begun.push(number);
      return new Promise<number>((resolve) => (end[number] = () => resolve(number)));
    }),
  );
  return { begun, end, given };
}

const settled = (): Promise<void> => new Promise((resume) => setTimeout(resume));

describe("questions that may wait", () => {
  it("go a few at a time, the latest first", async () => {
    const { begun, end, given } = works(new Turns(2, 10), 5);
    expect(begun).toEqual([0, 1]);
    for (const number of [0, 1, 4, 3, 2]) {
      end[number]!();
      await settled();
    }
    expect(begun).toEqual([0, 1, 4, 3, 2]);
    expect(await Promise.all(given)).toEqual([0, 1, 2, 3, 4]);
  });

  it("are left out when too many came after them", async () => {
    const { begun, end, given } = works(new Turns(1, 2), 5);
    end[0]!();
    await settled();
    end[4]!();
    await settled();
    end[3]!();
    expect(await Promise.all(given)).toEqual([0, null, null, 3, 4]);
    expect(begun).toEqual([0, 4, 3]);
  });

  it("give their turn on when they fail", async () => {
    const turns = new Turns(1, 2);
    const failing = turns.take(() => Promise.reject(new Error("refused")));
    const next = turns.take(() => Promise.resolve("mine"));
    await expect(failing).rejects.toThrow("refused");
    expect(await next).toBe("mine");
    expect(await turns.take(() => Promise.resolve("again"))).toBe("again");
  });
});
