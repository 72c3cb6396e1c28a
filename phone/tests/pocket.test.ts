import "fake-indexeddb/auto";
import { runInNewContext } from "node:vm";
import { build } from "vite";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { base64, utf8 } from "../src/door/bytes";
import { Pocket, readPocket, standing } from "../src/household/pocket";
import { Cupboard } from "../src/keep/cupboard";
import { TestDoor } from "./made";

const door = new TestDoor();
const VISIT = "a".repeat(26);
/** The service worker as it is built, of a build that has one file. */
const built = await build({
  ...{ configFile: "vite.worker.config.ts", logLevel: "silent" as const, define: { BUILD: '"now"', FILES: '["assets/a.js"]' } },
  build: { write: false, minify: false },
});
const SOURCE = (built as unknown as { output: { code: string }[] }[])[0]!.output[0]!.code;

interface Shown {
  readonly title: string;
  readonly options: { tag: string; silent?: boolean; body: string; data?: { page: string } };
  closed: boolean;
}

/** The service worker in a world of its own: what it shows, and which windows there are. */
class Worker {
  readonly shown: Shown[] = [];
  readonly opened: string[] = [];
  readonly told: unknown[] = [];
  windows: { visibilityState: string }[] = [];
  readonly shelves = new Map<string, Set<string>>();
  readonly fetched: string[] = [];
  readonly #on = new Map<string, (event: unknown) => void>();

  /** *subtle*: what the browser's WebCrypto is, where it is not the usual one. */
  constructor(subtle: unknown = crypto.subtle) {
    const self = {
      skipWaiting: () => undefined,
      location: new URL("https://phone.example/app/sw.js"),
      addEventListener: (name: string, listener: (event: unknown) => void) => this.#on.set(name, listener),
      registration: {
        showNotification: (title: string, options: Shown["options"]) => void this.shown.push({ title, options, closed: false }),
        getNotifications: ({ tag }: { tag: string }) =>
          this.shown.filter((one) => one.options.tag === tag).map((one) => ({ close: () => (one.closed = true) })),
      },
      clients: {
        matchAll: () => this.windows.map((one) => ({ ...one, focus: () => null, postMessage: (said: unknown) => this.told.push(said) })),
        openWindow: (url: string) => void this.opened.push(url),
      },
    };
    const shelf = (name: string) => this.shelves.get(name) ?? this.shelves.set(name, new Set()).get(name)!;
    const caches = {
      match: () => undefined,
      keys: () => [...this.shelves.keys()],
      delete: (name: string) => this.shelves.delete(name),
      open: (name: string) => ({
        match: (file: string) => (shelf(name).has(file) ? {} : undefined),
        add: (file: string) => (this.fetched.push(file), shelf(name).add(file)),
        put: (file: string) => shelf(name).add(file),
      }),
    };
    const fetch = async () => ({ ok: true, clone: () => null });
    const world = { self, indexedDB, crypto: { subtle }, TextEncoder, TextDecoder, URL, atob, btoa, Uint8Array, Date, caches, fetch };
    runInNewContext(SOURCE, world);
  }

  async say(name: string, event: object): Promise<void> {
    let work: Promise<unknown> = Promise.resolve();
    this.#on.get(name)!({ ...event, waitUntil: (promise: Promise<unknown>) => (work = promise) });
    await work;
  }

  async push(text: string): Promise<Shown> {
    await this.say("push", { data: { json: () => JSON.parse(text) } });
    return this.shown.at(-1)!;
  }
}

async function letter(change: object = {}, by = door): Promise<string> {
  const at = new Date().toISOString();
  const json = JSON.stringify({ v: 1, door: "front", kind: "ring", visit: VISIT, epoch: "", uptime: 1, at, clock: "synced", ...change });
  return JSON.stringify({ json, sig: base64(await by.sign("alert", utf8(json))) });
}

beforeEach(async () => {
  const cupboard = await Cupboard.open();
  await cupboard.put("doors", [["front", { door: "front", name: "Front door", verifyKey: door.verifyKey, silentUntil: 0 }]]);
  cupboard.close();
});

describe("what the service worker keeps", () => {
  test("is the whole build from the first install on, fetched once", async () => {
    const worker = new Worker();
    await worker.say("install", {});
    expect([...worker.shelves.get("app-now")!]).toEqual(["./", "manifest.webmanifest", "icon.svg", "assets/a.js"]);
    await worker.say("install", {}); // the registration of a door's pushes
    expect(worker.fetched).toHaveLength(4);
  });

  test("of earlier builds goes when the page is loaded anew, and the texts stay", async () => {
    const worker = new Worker();
    for (const name of ["app-1", "app-before", "texts"]) worker.shelves.set(name, new Set());
    await worker.say("install", {});
    expect([...worker.shelves.keys()]).toContain("app-before"); // the page of that build is still open
    const request = { url: "https://phone.example/app/", method: "GET", mode: "navigate" };
    await worker.say("fetch", { request, respondWith: () => null });
    expect([...worker.shelves.keys()].toSorted()).toEqual(["app-now", "texts"]);
  });
});

describe("a push letter", () => {
  test("is known for the door's where the browser has no Ed25519 of its own", async () => {
    const worker = new Worker({ importKey: () => Promise.reject(new DOMException("Ed25519", "NotSupportedError")) });
    expect((await worker.push(await letter())).title).toBe("Front door: somebody rings");
    const other = (await letter()).replace("ring", "test");
    expect((await worker.push(other)).title).toBe("A notification that is not your door’s");
  });

  test("shows who rings, and where to look", async () => {
    const worker = new Worker();
    const { title, options } = await worker.push(await letter());
    expect(title).toBe("Front door: somebody rings");
    expect(options).toMatchObject({ tag: `visit-${VISIT}`, silent: false, data: { page: `#/visit/front/${VISIT}` } });
    await worker.say("notificationclick", { notification: { close: () => null, data: options.data } });
    expect(worker.opened).toEqual([`https://phone.example/app/#/visit/front/${VISIT}`]);
  });

  test("that the door did not sign is not shown as the door's", async () => {
    const stranger = new TestDoor(9);
    for (const text of [await letter({}, stranger), await letter({ door: "back" }), "{}", "[]", '{"json":"{}","sig":""}', await letter({ visit: "../x" })]) {
      const { title, options } = await new Worker().push(text);
      expect(title).toBe("A notification that is not your door’s");
      expect(options.silent).toBe(true);
    }
    const changed = (await letter()).replace(VISIT, "b".repeat(26));
    expect((await new Worker().push(changed)).title).toContain("not your door");
  });

  test("of a test leads to the question whether it rang", async () => {
    const { title, options } = await new Worker().push(await letter({ kind: "test" }));
    expect([title, options.data!.page]).toEqual(["Front door: test ring", `#/pocket/front/${VISIT}`]);
  });

  test("that merely checks is gone at once", async () => {
    const shown = await new Worker().push(await letter({ kind: "check" }));
    expect([shown.options.silent, shown.closed]).toEqual([true, true]);
  });

  test("that comes late says when it rang", async () => {
    const at = new Date(Date.now() - 61_000).toISOString();
    expect((await new Worker().push(await letter({ at }))).title).toContain("somebody rang at");
    expect((await new Worker().push(await letter({ at, clock: "unsynced" }))).title).toContain("somebody rings");
  });

  test("makes no sound while the app is on the screen, or silenced", async () => {
    const worker = new Worker();
    worker.windows = [{ visibilityState: "visible" }];
    expect((await worker.push(await letter())).options.silent).toBe(true);
    const cupboard = await Cupboard.open();
    await cupboard.put("doors", [["front", { door: "front", name: "F", verifyKey: door.verifyKey, silentUntil: Date.now() + 9e5 }]]);
    cupboard.close();
    expect((await new Worker().push(await letter())).options.silent).toBe(true);
  });
});

describe("how a phone is woken", () => {
  const now = Date.parse("2026-11-22T20:00:00Z");
  const state = (said: object) => readPocket({ web: true, key: null, ntfy: null, way: null, confirmed: null, ended: false, ...said });

  test("counts only once somebody said that it rang, and not for ever", () => {
    expect(standing(state({}), now)).toBe("open");
    expect(standing(state({ way: "none" }), now)).toBe("quiet");
    expect(standing(state({ way: "web" }), now)).toBe("untested");
    expect(standing(state({ way: "web", confirmed: "2026-11-01T20:00:00.000Z" }), now)).toBe("done");
    expect(standing(state({ way: "web", confirmed: "2026-11-01T20:00:00.000Z", ended: true }), now)).toBe("untested");
    expect(standing(state({ way: "ntfy", confirmed: "2026-06-01T20:00:00.000Z" }), now)).toBe("untested");
  });

  test("a door that says it otherwise is read as far as it is known", () => {
    expect(readPocket({ way: "pigeon", ntfy: { server: 1 }, key: "x", confirmed: 5 })).toEqual({ homeassistant: true,
      web: false, key: null, ntfy: null, way: null, confirmed: "", ended: false,
    });
  });

  test("the test waits for the phone to be locked, and is confirmed by its visit", async () => {
    const ask = vi.fn(async (cmd: string) => ({ reply: {} as never, result: cmd === "ring_test" ? { visit: VISIT } : { way: "ntfy" } }));
    const pocket = new Pocket("front", { ask } as never);
    const visit = await pocket.test("ntfy");
    await pocket.confirm(visit);
    expect(ask.mock.calls).toEqual([
      ["ring_test", { everywhere: false, after: 10 }],
      ["push", { do: "confirm", visit: VISIT }],
    ]);
  });
});

