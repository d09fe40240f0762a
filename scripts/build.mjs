// @ts-check
// Bundles the program into dist/: one entry, commands as lazy chunks, so that --version does not load undici and helm's
// driver. Run twice it gives the same bytes.
import { chmod, readFile, rename, rm } from "node:fs/promises";
import { build } from "esbuild";
import { lean } from "./bundle/lean.mjs";

const { version } = JSON.parse(await readFile("package.json", "utf8"));

// Beside, then in place: a build that fails leaves what was there.
const fresh = `.cache/dist-${process.pid}`;
const result = await build({
  entryPoints: { main: "src/main.ts" },
  outdir: fresh,
  outExtension: { ".js": ".mjs" },
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  minifySyntax: true,
  // Names stay, for traces that people send; spaces and comments are a third of what Node would have to read at start.
  minifyWhitespace: true,
  legalComments: "none",
  platform: "node",
  target: "node20",
  format: "esm",
  metafile: true,
  plugins: [lean],
  define: { HIGRESS_AIRGAP_VERSION: JSON.stringify(version) },
  // Some packages inside are CommonJS and ask for `require` at run time.
  banner: {
    js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`,
  },
  logLevel: "warning",
});
await chmod(`${fresh}/main.mjs`, 0o755);
await rm("dist", { recursive: true, force: true });
await rename(fresh, "dist");
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist: ${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
