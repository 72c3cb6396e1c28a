import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it } from "vitest";
import { base64, hex, utf8 } from "../src/door/bytes";
import { Refused } from "../src/door/refused";
import { hashOf } from "../src/door/sign";
import type { Asking } from "../src/household/asking";
import { Posters } from "../src/household/posters";
import { Story } from "../src/household/story";
import { Cupboard } from "../src/keep/cupboard";

const POSTER = utf8("sealed");
const OTHER = utf8("another");

/** A door that answers as told, one word after the other; and what it was asked. */
function door(...answers: (string | null)[]) {
  const asked: string[] = [];
  const ask = async (_: string, { clip }: { clip: string }) => {
    asked.push(clip);
    const word = answers.shift();
    if (word) throw new Refused(word as "silence", word);
    return { result: { poster: base64(POSTER) } };
  };
  return { asked, asking: { ask } as unknown as Asking };
}

describe("posters", () => {
  let cupboard: Cupboard;
  let story: Story;
  let number = 0;
  beforeEach(async () => {
    cupboard = await Cupboard.open(`posters-${number++}`);
    story = new Story();
    const more = { visit: "va", id: "c1", bytes: 9, poster_sha256: hex(hashOf(POSTER)) };
    story.add(1, { v: 1, kind: "clip", at: "2026-03-01T07:30:00Z", clock: "synced", boot: 1, uptime: 1, ...more });
  });
  const made = (asking: Asking = door().asking) => new Posters("front", story, cupboard, asking);

  it("are kept over a restart", async () => {
    expect(await made().take("va", POSTER)).toBe("taken");
    expect(await made().kept("va")).toEqual(POSTER);
    expect(await made().kept("vb")).toBeNull();
  });

  it("are doubted where the journal names another", async () => {
    expect(await made().take("va", OTHER)).toBe("doubted");
    expect(await made().kept("va")).toBeNull();
  });

  it.each([["UPPER", POSTER], ["va", new Uint8Array(24_577)]])("are of a visit and small, or nothing (%s)", async (visit, sealed) => {
    expect(await made().take(visit, sealed)).toBe("nothing");
  });

  it("that came before the journal's word go when it names another", async () => {
    const posters = made();
    await posters.take("vb", OTHER);
    expect(await posters.review("vb")).toBe("stays");
    const more = { visit: "vb", id: "c2", bytes: 9, poster_sha256: hex(hashOf(POSTER)) };
    story.add(2, { v: 1, kind: "clip", at: "2026-03-01T07:30:00Z", clock: "synced", boot: 1, uptime: 2, ...more });
    expect(await posters.review("vb")).toBe("doubted");
    expect(await posters.kept("vb")).toBeNull();
    expect(await made().kept("vb")).toBeNull();
  });

  it("go with their clip, also those that an earlier start kept, and come no more", async () => {
    await made().take("va", POSTER);
    const posters = made();
    story.add(2, { v: 1, kind: "clip_deleted", at: "2026-03-01T08:30:00Z", clock: "synced", boot: 1, uptime: 2, id: "c1", why: "asked" });
    expect(await posters.review("va")).toBe("deleted");
    expect(await posters.kept("va")).toBeNull();
    expect(await posters.take("va", POSTER)).toBe("nothing");
    expect(await cupboard.keys("posters", IDBKeyRange.bound([""], ["\uffff"]))).toEqual([]);
  });

  it("that nothing tells of any more are swept out, and those that just came are not", async () => {
    await made().take("va", POSTER);
    await made().take("vb", OTHER); // of a visit that was forgotten since
    const posters = made();
    await posters.take("vc", OTHER);
    expect(await posters.sweep()).toBe(1);
    expect(await Promise.all(["va", "vb", "vc"].map(async (visit) => (await posters.kept(visit)) !== null))).toEqual([true, false, true]);
  });

  it.each(["silence", "offline"])("are asked for again after %s", async (word) => {
    const { asked, asking } = door(word, null);
    const posters = made(asking);
    expect(await posters.ask("va")).toBeNull();
    expect(await posters.ask("va")).toEqual(POSTER);
    expect(asked).toEqual(["c1", "c1"]);
  });

  it("that the door has no more are asked for once", async () => {
    const { asked, asking } = door("gone");
    const posters = made(asking);
    expect(await posters.ask("va")).toBeNull();
    expect(await posters.ask("va")).toBeNull();
    expect(await posters.ask("unknown")).toBeNull();
    expect(asked).toEqual(["c1"]);
  });

  it("are asked for four at a time", async () => {
    const asked: string[] = [];
    const asking = { ask: (_: string, { clip }: { clip: string }) => (asked.push(clip), new Promise(() => {})) } as unknown as Asking;
    for (let i = 2; i < 9; i++) {
      const more = { visit: `v${"bcdefghij"[i]}`, id: `c${i}`, bytes: 9, poster_sha256: "ab" };
      story.add(i, { v: 1, kind: "clip", at: "2026-03-01T07:30:00Z", clock: "synced", boot: 1, uptime: i, ...more });
    }
    const posters = made(asking);
    for (const { id } of story.visits) void posters.ask(id);
    await new Promise((resume) => setTimeout(resume));
    expect(asked).toHaveLength(4);
  });
});
