/**
 * A hand on a phone: drives a real Chromium for the tests in tests/phone. A line of JSON in, `{"do": "<JavaScript>"}`, the body of
 * an async function of (page, context, complaints, requests); a line out, `{"gave": …}` or `{"failed": "…"}` with what the page shows.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [, , program, ...words] = process.argv;
const profile = mkdtempSync(join(tmpdir(), "phone-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: program,
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
    ...words.filter((word) => word.startsWith("--")),
  ],
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 1,
  colorScheme: words.includes("dark") ? "dark" : "light",
  hasTouch: true,
  acceptDownloads: true,
  reducedMotion: words.includes("still") ? "reduce" : "no-preference",
  timezoneId: "UTC",
  locale: "en-GB",
});
const page = context.pages()[0] ?? (await context.newPage());
page.setDefaultTimeout(20_000);
const complaints = [];
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(String(error)));

const requests = [];
page.on("request", (request) => requests.push(request.url()));
page.on("websocket", (socket) => requests.push(socket.url()));

const Work = Object.getPrototypeOf(async () => {}).constructor;
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
say({ gave: context.browser()?.version() ?? "" });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ gave: (await new Work("page", "context", "complaints", "requests", JSON.parse(line).do)(page, context, complaints, requests)) ?? null });
  } catch (error) {
    const shown = await page.locator("body").innerText({ timeout: 2000 }).catch(String);
    say({ failed: String(error), complaints, shown: shown.slice(0, 1500) });
  }
}
await context.close();
rmSync(profile, { recursive: true, force: true });
