import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "tar";

const folder = dirname(fileURLToPath(import.meta.url));

/** What the sample chart is made to name, as a build finds it: seven images, one only in an argument. */
export const sampleChart = {
  name: "higress",
  version: "2.2.4",
  registry: "registry.higress.example",
  relocation: join(folder, "sample-relocation.yaml"),
  images: [
    "gateway",
    "higress",
    "pilot",
    "console",
    "cert-manager-controller",
    "cert-manager-acmesolver",
    "cert-manager-ctl",
  ].map((name) => `registry.higress.example/higress/${name}:1.0.0`),
} as const;

const sample = join(folder, "sample-higress");

/** A copy of the sample with files of its own, by their paths in it. */
async function withMore(copy: string, more: Readonly<Record<string, string>>): Promise<string> {
  await cp(sample, copy, { recursive: true });
  for (const [path, text] of Object.entries(more)) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), text);
  }
  return copy;
}

/** Packs the sample chart into `target`: the same bytes every time, unlike `helm package`. Returns the path. `more` are files besides. */
export async function packSampleChart(target: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const source = Object.keys(more).length === 0 ? sample : await withMore(join(target, "sample-higress"), more);
  const found = await readdir(source, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
    .sort();
  await mkdir(target, { recursive: true });
  const file = join(target, `${sampleChart.name}-${sampleChart.version}.tgz`);
  await create({ file, cwd: source, prefix: sampleChart.name, portable: true, gzip: true, mtime: new Date(0) }, files);
  return file;
}
