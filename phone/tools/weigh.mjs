/** What the first view costs over the network: the page and everything that it loads before it shows, gzipped. */

import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MOST = 200 * 1024;
const page = readFileSync("dist/index.html", "utf8");
const seen = new Set();

/** *file* and, of a script, whatever it imports at once; what it imports later is not the first view. */
function follow(file) {
  if (seen.has(file)) return;
  seen.add(file);
  if (!file.endsWith(".js")) return;
  const text = readFileSync(`dist/${file}`, "utf8");
  for (const [, name] of text.matchAll(/(?:^|[;}\s])(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g)) follow(`assets/${name}`);
}

for (const [, file] of page.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+)"/g)) follow(file);
let whole = gzipSync(page).length;
for (const file of seen) {
  const bytes = gzipSync(readFileSync(`dist/${file}`)).length;
  whole += bytes;
  console.log(`${String(bytes).padStart(8)}  ${file}`);
}
const later = readdirSync("dist/assets").filter((name) => !seen.has(`assets/${name}`));
console.log(`${String(whole).padStart(8)}  bytes gzipped for the first view, at most ${MOST}; later: ${later.join(", ") || "nothing"}`);
if (whole > MOST) process.exit(1);
