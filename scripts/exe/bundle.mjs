// @ts-check
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { oneFile } from "../bundle/options.mjs";

/** Started by scripts/exe/start.ts; src/main.ts does the same for dist. */
const entry = `export { runProcess } from "./src/cli/process.ts";`;

/**
 * The program as one CommonJS module: a function of what Node gives to each, since a script that is compiled by hand is
 * given nothing.
 * @param {string} outfile
 */
export async function bundleProgram(outfile) {
  const options = await oneFile();
  const { metafile } = await build({
    ...options,
    banner: { js: `(function (exports, require, module, __filename, __dirname) {${options.banner.js}` },
    footer: { js: "})" },
    stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: "exe.ts", loader: "ts" },
    outfile,
  });
  // esbuild escapes all but patterns. A string of bytes is half as long for V8, and sooner there (scripts/exe/start.ts).
  const text = await readFile(outfile, "utf8");
  const escaped = (/** @type {string} */ letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;

  await writeFile(outfile, text.replace(/[^\x00-\x7f]/g, escaped), "latin1");
  return metafile;
}

/** The main script of an executable, in CommonJS, the only form that Node takes for one. @param {string} outfile */
export async function bundleStart(outfile) {
  await build({ ...(await oneFile()), entryPoints: ["scripts/exe/start.ts"], banner: {}, outfile });
}
