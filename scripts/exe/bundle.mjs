// @ts-check
import { basename } from "node:path";
import { build, transform } from "esbuild";
import { bundling, manyFiles } from "../bundle/options.mjs";

/** Loaded by scripts/exe/start.ts; src/main.ts does the same for dist. */
const entry = `export { runProcess } from "./src/cli/process.ts";`;

/**
 * The modules of dist, each as a function of what Node gives to a CommonJS module: a script that is compiled by hand is
 * given nothing. ASCII texts by name; `program.cjs` is the first to be loaded.
 */
export async function bundleProgram() {
  const { banner: _, ...options } = await manyFiles();
  const { outputFiles, metafile } = await build({
    ...options,
    stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: "exe.ts", loader: "ts" },
    entryNames: "program",
    outExtension: { ".js": ".cjs" },
    outdir: "program",
    write: false,
  });
  /** @type {Map<string, string>} */
  const modules = new Map();
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      format: "cjs",
      platform: "node",
      target: "node20",
      supported: { "dynamic-import": false },
      define: { "import.meta.url": "__importMetaUrl" },
      minifyWhitespace: true,
      legalComments: "none",
    });
    const url = 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;';
    const known = code.includes("__importMetaUrl") ? url : "";
    const whole = `(function (exports, require, module, __filename, __dirname) {${known}${code}})`;
    // esbuild escapes all but patterns. A string of bytes is half as long for V8, and sooner there (scripts/exe/start.ts).
    const escaped = (/** @type {string} */ letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
    modules.set(basename(path), whole.replace(/[^\x00-\x7f]/g, escaped));
  }
  return { modules, metafile };
}

/** The main script of an executable: one file of CommonJS, which alone Node takes for one. @param {string} outfile */
export async function bundleStart(outfile) {
  await build({ ...(await bundling()), entryPoints: ["scripts/exe/start.ts"], format: "cjs", outfile });
}
