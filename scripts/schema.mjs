// @ts-check
// Writes manifests/schema/*.schema.json from the models, so that editors check and complete the files that people write.
// The models are TypeScript and Node 20 cannot read it: they are bundled in memory first. `--check` writes nothing and
// fails when a file is not what it would write.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const folder = "manifests/schema";
const files = [
  { name: "bundle", title: "higress-airgap bundle spec", model: "BundleSpec" },
  { name: "site", title: "higress-airgap site file", model: "Site" },
  { name: "relocation", title: "higress-airgap relocation map", model: "RelocationMap" },
];

const entry = `
export { z } from "zod";
export { BundleSpec } from "./src/model/spec.ts";
export { Site } from "./src/model/site.ts";
export { RelocationMap } from "./src/model/relocation.ts";
`;
const { outputFiles } = await build({
  stdin: { contents: entry, resolveDir: process.cwd(), loader: "ts" },
  bundle: true,
  write: false,
  platform: "node",
  target: "node20",
  format: "esm",
});
const source = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
const models = await import(`data:text/javascript;base64,${source}`);

const stale = [];
await mkdir(folder, { recursive: true });
for (const { name, title, model } of files) {
  // What a person writes, so defaults are optional. Refinements that a schema cannot say are checked by the program.
  const schema = models.z.toJSONSchema(models[model], { io: "input", target: "draft-7", unrepresentable: "any" });
  const text = `${JSON.stringify({ ...schema, title }, undefined, 2)}\n`;
  const path = `${folder}/${name}.schema.json`;
  if ((await readFile(path, "utf8").catch(() => "")) === text) continue;
  stale.push(path);
  if (!process.argv.includes("--check")) await writeFile(path, text);
}
process.stdout.write(stale.map((path) => `${path}\n`).join(""));
if (process.argv.includes("--check")) process.exitCode = stale.length > 0 ? 1 : 0;
