// @ts-check
// What it costs to open a bundle, by entries and by bytes. The bundles are sparse: opening reads no blob, so nobody
// misses their bytes. The program's own modules are used, bundled as a run of them would be.
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { manyFiles } from "../bundle/options.mjs";
import { measure, median } from "./measure.mjs";

const exported = `
export { planBundle } from "./src/stages/bundle/plan.ts";
export { openBundle } from "./src/stages/bundle/open.ts";
export { openSource } from "./src/edge/disk/open-source.ts";
`;

/** @param {string} directory */
async function modules(directory) {
  const root = join(import.meta.dirname, "../..");
  await build({
    ...(await manyFiles()),
    stdin: { contents: exported, resolveDir: root, loader: "ts" },
    outdir: directory,
    entryNames: "opening-modules",
  });
  return import(pathToFileURL(join(directory, "opening-modules.mjs")).href);
}

/**
 * @typedef {{ readonly entries: number, readonly bytes: number, readonly milliseconds: number, readonly over: number }} Opening
 *   `milliseconds` within a process that runs already; `over`: what `inspect` takes more than `--version` does, in ms
 */

/** @param {string} directory @param {string} ours @returns {Promise<readonly Opening[]>} */
export async function openings(directory, ours) {
  const { planBundle, openBundle, openSource } = await modules(directory);
  const shapes = [
    { entries: 100, bytes: 100 * 1024 ** 2 },
    { entries: 100, bytes: 10 * 1024 ** 3 },
    { entries: 1000, bytes: 10 * 1024 ** 3 },
    { entries: 50_000, bytes: 10 * 1024 ** 3 },
  ];
  const results = [];
  for (const shape of shapes) {
    const path = join(directory, `sparse-${shape.entries}-${shape.bytes}.tar`);
    await writeSparse(path, planBundle(input(shape)));
    const times = [];
    const over = [];
    for (let run = 0; run < 9; run += 1) {
      const started = performance.now();
      const bundle = await openBundle(await openSource(path));
      times.push(performance.now() - started);
      await bundle[Symbol.asyncDispose]();
      const inspect = await measure({ name: "inspect", script: `${ours} inspect '${path}' > /dev/null` }, directory);
      const version = await measure({ name: "--version", script: `${ours} --version` }, directory);
      over.push((inspect.wall - version.wall) * 1000);
    }
    results.push({ ...shape, milliseconds: median(times), over: median(over) });
  }
  return results;
}

/** @param {{ entries: number, bytes: number }} shape */
function input({ entries, bytes }) {
  const size = Math.floor(bytes / entries);
  const blobs = Array.from({ length: entries }, (_, at) => {
    const digest = `sha256:${createHash("sha256").update(String(at)).digest("hex")}`;
    const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
    return { descriptor: { mediaType, digest, size }, host: "", names: [], open: () => [] };
  });
  const lock = {
    lockVersion: 1,
    name: "sparse",
    version: "1",
    platforms: ["linux/amd64"],
    kubeVersion: "1.30.0",
    created: "2026-01-01T00:00:00Z",
    items: [],
    files: [],
  };
  return { lock, blobs, files: [], largeFiles: [], tool: { name: "bench", version: "0" } };
}

/** @param {string} path @param {any} plan */
async function writeSparse(path, { size, segments }) {
  const file = await open(path, "w");
  await file.truncate(size);
  for (const { kind, offset, chunks, entry } of segments)
    await file.write(kind === "bytes" ? Buffer.concat(chunks) : entry.header, 0, undefined, offset);
  await file.close();
}
