// @ts-check
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Sources find their files beside themselves; in one bundle each would look beside the bundle. */
const ownAddress = {
  name: "own address",
  setup(/** @type {import("esbuild").PluginBuild} */ { onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      return { contents: source.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)), loader: "ts" };
    });
  },
};

/**
 * What a source in TypeScript exports, which Node 20 cannot read: it is bundled with the parts of test/rig that it uses.
 * @param {string} entry
 * @param {string} outfile
 */
export async function fromSource(entry, outfile) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    plugins: [ownAddress],
    logLevel: "warning",
  });
  return import(pathToFileURL(outfile).href);
}
