// @ts-check
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * cliui and wrap-ansi lay out help with this. The package makes an Intl.Segmenter per copy (20 ms each) for emoji that no
 * help of ours has. It is replaced whole, by its name: nothing here reaches into a package past its entry, since an entry
 * does more than export (undici's gives its clients the `connect` without which no proxy is passed).
 * @type {import("esbuild").Plugin}
 */
const stringWidth = {
  name: "string-width",
  setup(build) {
    build.onResolve({ filter: /^string-width$/ }, () => ({
      path: join(import.meta.dirname, "string-width.ts"),
      sideEffects: false,
    }));
  },
};

/** How the program is packed, whatever it is packed for: dist, the executables, and the modules that tests run packed. */
export async function bundling() {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, "../../package.json"), "utf8"));
  return /** @satisfies {import("esbuild").BuildOptions} */ ({
    bundle: true,
    minifySyntax: true,
    // Names stay, for traces that people send; spaces and comments are a third of what Node would have to read at start.
    minifyWhitespace: true,
    legalComments: "none",
    platform: "node",
    target: "node20",
    metafile: true,
    plugins: [stringWidth],
    define: {
      HIGRESS_AIRGAP_VERSION: JSON.stringify(version),
      // undici asks for it once, to know foreign headers of cookies by it, and Node loads its own undici beside ours to answer.
      "globalThis.Headers": "undefined",
    },
    logLevel: "warning",
  });
}

/** ES modules in many files: what a command does not need is not read. */
export async function manyFiles() {
  return /** @satisfies {import("esbuild").BuildOptions} */ ({
    ...(await bundling()),
    format: "esm",
    splitting: true,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    // Some packages inside are CommonJS and ask for `require` at run time.
    banner: {
      js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`,
    },
  });
}
