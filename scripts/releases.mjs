// @ts-check
// One line for each packed chart of a folder: what of it is learned, and what is left when the learned map is used with
// everything on. The charts are Higress's and not in this repository.
//   node scripts/releases.mjs CHARTS [HELM]
// A file console-VERSION.properties beside a chart (plugins.properties of its console) gives the number of plugins.
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const [folder, named = "helm"] = process.argv.slice(2);
// helm is started in a folder of its own.
const helmPath = named.includes("/") ? resolve(named) : named;
if (folder === undefined) throw new Error("usage: node scripts/releases.mjs CHARTS [HELM]");

const entry = `
export { learnChart } from "./src/cli/wire/learn.ts";
export { readChart } from "./src/edge/charts/read.ts";
export { openHelm } from "./src/edge/process/helm.ts";
export { mergeValues, nest, splitPath } from "./src/model/values.ts";
export { findGaps } from "./src/stages/discover/discover.ts";
export { patchManifest, relocationPatches } from "./src/stages/relocate/relocate.ts";
export { relocationValues } from "./src/stages/relocate/relocate.ts";
`;
await build({
  stdin: { contents: entry, resolveDir: process.cwd(), loader: "ts" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  packages: "external",
  outfile: ".cache/releases.mjs",
});
const ours = await import(pathToFileURL(join(process.cwd(), ".cache/releases.mjs")).href);

const target = {
  registry: "learned.invalid",
  project: "moved",
  prefix: "learned.invalid/moved",
  namespace: "higress-system",
  pullSecret: "pull",
  plugins: new Map([["mcp-server", "oci://learned.invalid/moved/plugins/mcp-server:1"]]),
};
const helm = await ours.openHelm(helmPath, { env: process.env });
const charts = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
charts.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

process.stdout.write(`Helm ${helm.version}\n\n`);
process.stdout.write(
  "| chart | found | by values | by patches | left | switches | rules unread | plugins | renders | seconds |\n",
);
process.stdout.write(
  "| ----- | ----: | --------: | ---------: | ---: | -------: | -----------: | ------: | ------: | ------: |\n",
);
for (const name of charts) process.stdout.write(`${await row(join(folder, name))}\n`);
await helm[Symbol.asyncDispose]();

/** @param {string} path */
async function row(path) {
  const archive = await readFile(path);
  const { name, version } = await ours.readChart(archive, path);
  const started = performance.now();
  const chart = {
    archive,
    name,
    version,
    namespace: target.namespace,
    kubeVersion: "1.30.0",
    valuesFiles: [],
    values: {},
  };
  const { map, findings, renders, references } = await ours.learnChart(chart, helm, undefined);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const left = await leftOf(path, map);
  const unread = findings.filter(
    (/** @type {{ code: string }} */ { code }) => code === "relocation.rule-unread",
  ).length;
  const { found, moved, patched } = references;
  const cells = [
    `${name} ${version}`,
    found,
    moved,
    patched,
    left,
    map.features.length,
    unread,
    await plugins(version),
    renders,
    seconds,
  ];
  return `| ${cells.join(" | ")} |`;
}

/**
 * What still names a real registry: asked of the map alone, by the check that stops a build.
 * @param {string} path
 * @param {{ chart: string, features: { switches: string[] }[], plugins: { oci: unknown[] } }} map
 */
async function leftOf(path, map) {
  const on = map.features.flatMap(({ switches }) => switches).map((each) => ours.nest(ours.splitPath(each), true));
  const values = [ours.mergeValues(...on), ours.relocationValues(map, target, { pluginMode: "oci" })];
  const source = { chart: path, release: "higress", namespace: target.namespace, kubeVersion: "1.30.0", values };
  const manifest = await helm.template(source, { includeCrds: false });
  return ours.findGaps(ours.patchManifest(manifest, ours.relocationPatches(map, target, "higress")), {
    prefixes: [target.prefix],
  }).length;
}

/** @param {string} version */
async function plugins(version) {
  const text = await readFile(join(folder ?? "", `console-${version}.properties`), "utf8").catch(() => undefined);
  return text === undefined ? "-" : text.split("\n").filter((line) => /^[\w-]+=./.test(line)).length;
}
