import { describe, expect, test } from "vitest";
import { seal } from "../src/door/age";
import { type Bytes, hex } from "../src/door/bytes";
import { Refused } from "../src/door/refused";
import { hashOf } from "../src/door/sign";
import type { Door } from "../src/household/door";
import type { ClipFact } from "../src/household/story";
import { fetchClip, type Progress } from "../src/household/transfer";
import { Work } from "../src/backroom/work";
import { ageLine } from "../src/door/identity";
import { RECIPIENT, SECRET } from "./made";

const CHUNK = 98_304;
const plain = crypto.getRandomValues(new Uint8Array(60_000));
const long = new Uint8Array(70 * CHUNK);
for (let at = 0; at < long.length; at += plain.length) long.set(plain.subarray(0, Math.min(plain.length, long.length - at)), at);
const sealed = await seal(long, [RECIPIENT]);

/** A door that keeps to docs/formats/commands.md, but for what *spoil* does to it; asked counts the `clip` commands. */
class KeepingDoor {
  asked: number[] = [];
  windows: number[] = [];
  onChunk: ((topic: string, payload: Bytes) => void) | null = null;
  onLate: ((id: Bytes, word: string) => void) | null = null;
  constructor(private readonly spoil: (door: KeepingDoor, index: number, chunk: Bytes) => Bytes | null = (_, __, chunk) => chunk) {}

  readonly asking = {
    owner: this as KeepingDoor,
    set onLate(late: ((id: Bytes, word: string) => void) | null) {
      this.owner.onLate = late;
    },
    ask: (_: string, { from, window }: { from: number; window: number }, { id }: { id: Bytes }) => this.answer(from, window, id),
  };

  request: Bytes = new Uint8Array(16);

  async answer(from: number, window: number, id: Bytes) {
    this.asked.push(from);
    this.windows.push(window);
    this.request = id;
    const chunks = Math.ceil(sealed.length / CHUNK);
    for (let n = from; n < Math.min(chunks, from + window); n++) {
      const chunk = this.spoil(this, n, sealed.slice(n * CHUNK, (n + 1) * CHUNK) as Bytes);
      if (chunk) this.onChunk?.(`clip/me/${hex(id)}/${n}`, chunk);
    }
    return { result: { bytes: sealed.length, chunks, request: hex(id) } };
  }

  back = () => Promise.resolve();
  haste = () => () => undefined;
  readonly backroom = new Work(ageLine(SECRET));
}

const clip: ClipFact = { id: "c", bytes: sealed.length, sha256: hex(hashOf(sealed)), seconds: 9, posterSha256: "", state: "kept", why: "" };

function get(door: KeepingDoor, told: Progress[] = [], fact = clip) {
  return fetchClip(door as unknown as Door, fact, (progress) => told.push(progress), new AbortController().signal);
}

describe("a clip on its way", () => {
  test("comes in windows that grow, whole, and tells how far it is", async () => {
    const told: Progress[] = [];
    const door = new KeepingDoor();
    const { ending, plain: got } = await get(door, told);
    expect(ending).toBe("opens");
    expect(hex(hashOf(got))).toBe(hex(hashOf(long)));
    expect(door.asked).toEqual([0, 8, 16, 32, 64]);
    expect(door.windows).toEqual([8, 8, 16, 32, 32]);
    expect(told.at(-1)).toEqual({ done: 1, resumed: 0 });
  });

  test("asks for more four pieces before the last window is here", async () => {
    const outstanding: number[] = [];
    const door = new KeepingDoor();
    const answer = door.answer.bind(door);
    let here = 0;
    door.answer = async (from, window, id) => {
      outstanding.push(from - here);
      return answer(from, window, id);
    };
    expect((await fetchClip(door as unknown as Door, clip, ({ done }) => (here = Math.round(done * Math.ceil(sealed.length / CHUNK))), new AbortController().signal)).ending).toBe("opens");
    expect(outstanding).toEqual([0, 4, 4, 4, 4]);
  });

  test("goes on behind the last piece when the connection breaks", async () => {
    let broken = false;
    const door = new KeepingDoor((_, index, chunk) => {
      if (index !== 11 || broken) return chunk;
      broken = true;
      throw new Refused("offline", "The connection broke.");
    });
    const told: Progress[] = [];
    expect((await get(door, told)).ending).toBe("opens");
    expect(door.asked).toEqual([0, 8, 11, 19, 27, 43]); // what had come of the second window is not asked for again
    expect(door.windows).toEqual([8, 8, 8, 8, 16, 32]);
    expect(told.at(-1)!.resumed).toBe(1);
  });

  test("pieces that come in another order, twice, too large, or of another request change nothing", async () => {
    const door = new KeepingDoor((self, index, chunk) => {
      self.onChunk?.(`clip/me/${hex(self.request)}/${index}`, new Uint8Array(CHUNK + 1));
      self.onChunk?.(`clip/me/${"0".repeat(32)}/${index}`, new Uint8Array(5));
      self.onChunk?.(`clip/me/${hex(self.request)}/${index + 9999}`, new Uint8Array(5));
      if (index % 8 === 0) return null; // it comes behind the next one
      if (index % 8 === 1) self.onChunk?.(`clip/me/${hex(self.request)}/${index}`, chunk);
      if (index % 8 === 1) self.onChunk?.(`clip/me/${hex(self.request)}/${index - 1}`, sealed.slice((index - 1) * CHUNK, index * CHUNK) as Bytes);
      return chunk;
    });
    expect((await get(door)).ending).toBe("opens");
  });

  test("one changed byte, and nothing of it is shown", async () => {
    const door = new KeepingDoor((_, index, chunk) => {
      if (index === 3) chunk[7]! ^= 1;
      return chunk;
    });
    await expect(get(door)).rejects.toMatchObject({ word: "forged" });
  });

  test("a clip that is deleted meanwhile ends with the door's word", async () => {
    const door = new KeepingDoor((self, index, chunk) => {
      if (index !== 5) return index < 5 ? chunk : null;
      setTimeout(() => self.onLate?.(self.request, "gone"));
      return null;
    });
    await expect(get(door)).rejects.toMatchObject({ word: "gone" });
  });

  test("a door that says no is asked once", async () => {
    const door = new KeepingDoor(() => {
      throw new Refused("gone", "gone");
    });
    await expect(get(door)).rejects.toMatchObject({ word: "gone" });
    expect(door.asked).toEqual([0]);
  });
});
