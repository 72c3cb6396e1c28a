/** The service worker, one classic script: browsers run no other kind everywhere. Built behind the app, whose files it keeps. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { defineConfig } from "vite";

const files = existsSync("dist/assets") ? ["index.html", ...readdirSync("dist/assets").map((name) => `assets/${name}`)] : [];
const build = createHash("sha256");
for (const file of files) build.update(file).update(readFileSync(`dist/${file}`));

export default defineConfig({
  publicDir: false,
  define: { BUILD: JSON.stringify(build.digest("hex").slice(0, 12)), FILES: JSON.stringify(files.slice(1)) },
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: false,
    lib: { entry: "src/sw.js", formats: ["iife"], name: "worker", fileName: () => "sw.js" },
  },
});
