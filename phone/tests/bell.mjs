/**
 * The app's bell over a recorded session, for tests/hostile: which visits rang, and why the others did not. Of the door's answers,
 * by which the app knows which start of the door is the present one (household/door.ts), only their order is played here.
 */

import { readFileSync } from "node:fs";
import { Bell } from "../src/door/alert";
import { Opener } from "../src/door/age";
import { same, unbase64 } from "../src/door/bytes";
import { DoorClock } from "../src/door/clock";
import { readHello } from "../src/door/hello";

const { identity, verifyKey, heard } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const key = unbase64(verifyKey);
const refused = {};

async function rings(bell, clock, epochs, shift, only) {
  const rung = [];
  for (const { at, topic, payload } of heard) {
    const bytes = unbase64(payload);
    try {
      if (topic === "hello") {
        const { epoch } = await readHello(bytes, "front", key);
        if (!epochs.some((one) => same(one, epoch))) epochs.push(epoch), clock.begin(epoch);
      } else if (!only || only === topic) rung.push((await bell.hear(bytes, "front", new Opener(identity), key, clock, at + shift)).visit);
    } catch (error) {
      refused[error.word ?? "fault"] = (refused[error.word ?? "fault"] ?? 0) + 1;
      if (!error.word) throw error;
    }
  }
  return rung;
}

const [bell, clock, epochs] = [new Bell(), new DoorClock(), []];
const rung = await rings(bell, clock, epochs, 0);
const last = clock.epoch;
// An hour later the app was closed and is open again: it remembers no visit, and knows the door's uptime from a reply.
const later = new DoorClock();
later.begin(last);
const end = heard.at(-1).at;
later.heard(end + 3600, end + 3600, end + 3600);
const hourLater = await rings(new Bell(), later, epochs, 3600);
console.log(JSON.stringify({ rung, hourLater, refused }));
