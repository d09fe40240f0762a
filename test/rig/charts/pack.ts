import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "tar";

const folder = dirname(fileURLToPath(import.meta.url));

/** What the sample chart is made to name, as a build finds it: seven images, one only in an argument. */
export const sampleChart = {
  name: "higress",
  version: "0.1.0",
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

/** Packs the sample chart into `target`: the same bytes every time, unlike `helm package`. Returns the path. */
export async function packSampleChart(target: string): Promise<string> {
  const source = join(folder, "sample-higress");
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
