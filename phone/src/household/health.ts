/** How the door is, as it says itself in the signed answer to `hello`: the clear topic of that name is not for phones. */

import { isNumber } from "../door/json";

export interface Health {
  /** Words of T.health.parts. */
  readonly problems: readonly string[];
  readonly disk: number | null;
  readonly temperature: number | null;
  readonly throttled: boolean | null;
  readonly rssi: number | null;
  readonly started: string;
  readonly version: string;
}

/** Null where the door says nothing of itself: an older one. */
export function readHealth(value: unknown): Health | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const fields = value as { readonly [key: string]: unknown };
  const figure = (name: string): number | null => (isNumber(fields[name]) ? fields[name] : null);
  const text = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  return {
    problems: Array.isArray(fields["problems"]) ? fields["problems"].filter((one) => typeof one === "string") : [],
    disk: figure("disk"),
    temperature: figure("temperature"),
    throttled: typeof fields["throttled"] === "boolean" ? fields["throttled"] : null,
    rssi: figure("rssi"),
    started: text("started"),
    version: text("version"),
  };
}
