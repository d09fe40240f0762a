// @ts-check
// Lints what changed since it was last clean, itself or in anything that it imports; `--all` lints everything.
import { ESLint } from "eslint";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { lintKeys } from "./lint-keys.mjs";

const cachePath = ".cache/lint.json";
const folders = ["src", "test", "scripts"];
const single = ["vitest.config.ts", "eslint.config.mjs"];

const listed = await Promise.all(
  folders.map(async (folder) =>
    (await readdir(folder, { recursive: true }))
      .filter((name) => /\.(ts|mjs)$/.test(name))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`),
  ),
);
const files = [...listed.flat(), ...single];
const texts = new Map(
  await Promise.all(files.map(async (path) => /** @type {const} */ ([path, await readFile(path, "utf8")]))),
);
const deciding = ["eslint.config.mjs", "tsconfig.json", "package-lock.json"];
const ambient = files.filter((path) => path.endsWith(".d.ts"));
const shared = await Promise.all([...deciding, ...ambient].map((path) => readFile(path, "utf8")));
const keys = lintKeys(texts, [process.version, ...shared].join("\n"));

/** @type {Record<string, string>} */
const clean = process.argv.includes("--all")
  ? {}
  : await readFile(cachePath, "utf8").then(
      (text) => JSON.parse(text),
      () => ({}),
    );
const changed = files.filter((path) => clean[path] !== keys.get(path));
const eslint = new ESLint();
const results = changed.length === 0 ? [] : await eslint.lintFiles(changed);
const root = `${process.cwd()}/`;
const wrong = new Set(
  results
    .filter(({ errorCount, warningCount }) => errorCount + warningCount > 0)
    .map(({ filePath }) => filePath.replaceAll("\\", "/").replace(root, "")),
);
process.stdout.write(await (await eslint.loadFormatter("stylish")).format(results));
process.stdout.write(`${changed.length} of ${files.length} files\n`);
await mkdir(".cache", { recursive: true });
await writeFile(cachePath, JSON.stringify(Object.fromEntries([...keys].filter(([path]) => !wrong.has(path)))));
process.exitCode = wrong.size > 0 ? 1 : 0;
