/** The repository's vectors, which the Python tests read too. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(fileURLToPath(new URL(`../../tests/vectors/${name}`, import.meta.url)), "utf8")) as T;
}
