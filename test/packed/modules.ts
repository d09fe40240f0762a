import { build } from "esbuild";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { Plugin } from "vite";
import { manyFiles } from "../../scripts/bundle/options.mjs";

const root = resolve(import.meta.dirname, "../..");
const src = join(root, "src");
/** Of the process that runs the tests: two of them side by side do not take each other's modules away. */
const packed = join(root, ".cache", `packed-${String(process.pid)}`);

/** Before the tests: every module of src/, packed as dist is, with the doors that tests come in by left open. */
export default async function pack(): Promise<() => Promise<void>> {
  const files = await readdir(src, { recursive: true });
  await build({
    ...(await manyFiles()),
    entryPoints: files.filter((name) => name.endsWith(".ts") && name !== "main.ts").map((name) => join(src, name)),
    outbase: src,
    outdir: packed,
  });
  return () => rm(packed, { recursive: true });
}

const isSource = (path: string): boolean => !relative(src, path).startsWith("..");

/** What tests import of src/ comes from there. A module of src/ that would come as it is written ends the test. */
export function packedModules(): Plugin {
  return {
    name: "packed-modules",
    enforce: "pre",
    resolveId(wanted, importer) {
      if (importer === undefined || !wanted.startsWith(".")) return;
      const path = resolve(dirname(importer), wanted);
      if (!isSource(path)) return;
      const module = join(packed, relative(src, path).replace(/\.ts$/, ".mjs"));
      if (!existsSync(module)) throw new Error(`${path} was not packed`);
      return { id: module, external: true };
    },
    load(id) {
      if (isSource(id)) throw new Error(`${id} is not packed`);
    },
  };
}
