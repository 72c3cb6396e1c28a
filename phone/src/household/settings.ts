/** What a phone may change at the door: read from its answer, and put back as the one command that says it all. */

import { type Hours, readHours } from "../door/hours";
import type { Fields } from "../door/json";
import { isNumber } from "../door/json";
import { type Polygon, readPolygons } from "../door/polygons";
import { Refused } from "../door/refused";
import type { Door } from "./door";

const CONFIRMED_WITHIN_MS = 70_000; // a camera that begins anew may take a minute to its first picture

export type RecordOn = "press" | "motion" | "motion-and-pir";
export type Sensitivity = "low" | "medium" | "high";

export interface Settings {
  readonly masks: readonly Polygon[];
  readonly zones: readonly Polygon[];
  readonly sensitivity: Sensitivity;
  readonly recordOn: RecordOn;
  readonly schedule: readonly Hours[];
  readonly linger: number;
  readonly days: number;
  /** The door's own time, as `sun 21:14`; null while it does not know it. */
  readonly local: string | null;
}

export async function askSettings(door: Door): Promise<Settings> {
  return read((await door.asking.ask("settings")).result);
}

/** *set* are tables as in the door's configuration. Answered when the camera films by them. Raises Refused. */
export async function change(door: Door, set: Fields): Promise<Settings> {
  return read((await door.asking.ask("settings", { set }, { within: CONFIRMED_WITHIN_MS })).result);
}

export function read(result: Fields): Settings {
  const table = (name: string): Fields => {
    const found = (result["settings"] as Fields | undefined)?.[name];
    if (typeof found !== "object" || found === null) throw new Refused("damaged");
    return found as Fields;
  };
  const [privacy, motion, storage] = [table("privacy"), table("motion"), table("storage")];
  const visit = (result["settings"] as Fields)["visit"] as Fields | undefined;
  const lines: unknown = motion["schedule"];
  return {
    masks: readPolygons(privacy["masks"]),
    zones: readPolygons(motion["zones"]),
    sensitivity: motion["sensitivity"] === "low" || motion["sensitivity"] === "high" ? motion["sensitivity"] : "medium",
    recordOn: motion["record_on"] === "press" || motion["record_on"] === "motion-and-pir" ? motion["record_on"] : "motion",
    schedule: Array.isArray(lines) ? lines.map(readHours).filter((one) => one !== null) : [],
    linger: isNumber(visit?.["linger_s"]) ? visit["linger_s"] : 10,
    days: isNumber(storage["days"]) ? storage["days"] : 14,
    local: typeof result["local"] === "string" ? result["local"] : null,
  };
}
