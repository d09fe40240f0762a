// @ts-check
import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { lean } from "../bundle/lean.mjs";

/** CommonJS, which alone a single executable runs, has no top-level await; src/main.ts says the same with one. */
const entry = `
import { runProcess } from "./src/cli/process.ts";
void runProcess().then((code) => { process.exitCode = code; });
`;

/**
 * The program as one CommonJS file.
 * @param {string} outfile
 */
export async function bundleProgram(outfile) {
  const { version } = JSON.parse(await readFile("package.json", "utf8"));
  const { metafile } = await build({
    stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: "exe.ts", loader: "ts" },
    outfile,
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    platform: "node",
    target: "node20",
    format: "cjs",
    metafile: true,
    plugins: [lean],
    // Without it yargs fails when it is loaded, and esbuild says nothing.
    banner: { js: 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
    define: { "import.meta.url": "__importMetaUrl", HIGRESS_AIRGAP_VERSION: JSON.stringify(version) },
    logLevel: "warning",
  });
  return metafile;
}
