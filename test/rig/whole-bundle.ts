import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { readChart } from "../../src/edge/charts/read.ts";
import { Entry } from "../../src/model/bundle.ts";
import type { Lock } from "../../src/model/lock.ts";
import { releaseEntry } from "../../src/model/release.ts";
import { pack } from "../../src/stages/bundle/pack.ts";
import type { PlannedBlob, SmallFile } from "../../src/stages/bundle/ports.ts";
import { resolveChart } from "../../src/stages/resolve/chart.ts";
import { canonicalJson, type Json } from "../../src/std/canonical-json.ts";
import { aPackInput } from "./bundle-input.ts";
import { MemoryOutput } from "./bundle-memory.ts";
import { packSampleChart, sampleChart } from "./charts/pack.ts";

/** A small bundle with every kind of document in it, packed in memory as `build` packs it. */
export async function aWholeBundle(folder: string): Promise<Buffer> {
  const archive = await readFile(await packSampleChart(folder));
  const chart = await readChart(archive);
  const resolved = await resolveChart({ ...chart, archive, origin: "https://charts.example/higress" });
  const { name, version } = chart;
  const files: SmallFile[] = [
    { name: `charts/${name}-${version}.tgz`, bytes: archive },
    { name: "crds/own.yaml", bytes: Buffer.from("kind: CustomResourceDefinition\n") },
    { name: Entry.spec, bytes: Buffer.from("kind: BundleSpec\n") },
    { name: "manifests/own.yaml", bytes: Buffer.from("kind: WasmPlugin\n") },
    { name: `manifests/relocation/${name}.yaml`, bytes: await readFile(sampleChart.relocation) },
  ];
  const release = {
    charts: [
      {
        ...{ name, version, file: `charts/${name}-${version}.tgz`, release: name, namespace: "higress-system" },
        ...{
          valuesFiles: ["a: 1\n"],
          values: { a: { b: [1, "two"] } },
          relocation: `manifests/relocation/${name}.yaml`,
        },
      },
    ],
    crds: ["crds/own.yaml"],
    manifests: ["manifests/own.yaml"],
  };
  files.push({ name: releaseEntry, bytes: Buffer.from(canonicalJson(release)) });
  const input = aPackInput();
  const chartBlobs = [...resolved.graph.manifests.map((node) => node.descriptor), ...resolved.graph.blobs].map(
    (descriptor): PlannedBlob => ({
      descriptor,
      host: "charts.example",
      names: [name],
      open: (offset) => resolved.content.fetch(descriptor, { offset }),
    }),
  );
  const described = files.map(({ name: file, bytes }) => ({
    name: file,
    size: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
  const lock: Lock = {
    ...input.lock,
    items: [resolved.item, ...input.lock.items],
    files: described.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
  const bytes = Buffer.from(canonicalJson(lock as unknown as Json));
  const output = new MemoryOutput();
  await pack(
    { ...input, lock, blobs: [...chartBlobs, ...input.blobs], files: [...files, { name: Entry.lock, bytes }] },
    output,
  );
  return output.bytes;
}
