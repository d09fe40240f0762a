// @ts-check
import { build } from "esbuild";
import { oneFile } from "../bundle/options.mjs";

/** CommonJS has no top-level await; src/main.ts says the same with one. */
const entry = `
import { runProcess } from "./src/cli/process.ts";
void runProcess().then((code) => { process.exitCode = code; });
`;

/**
 * The program as one CommonJS file.
 * @param {string} outfile
 */
export async function bundleProgram(outfile) {
  const { metafile } = await build({
    ...(await oneFile()),
    stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: "exe.ts", loader: "ts" },
    outfile,
  });
  return metafile;
}
