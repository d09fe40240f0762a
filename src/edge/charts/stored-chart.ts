import { gunzipSync } from "node:zlib";
import * as z from "zod";
import { packChart } from "../../content/chart-of-objects.ts";
import { Failure } from "../../model/failure.ts";
import { isFileName } from "../../model/names.ts";
import { parseBounded } from "../../std/bounded-json.ts";
import { printTyped } from "../../std/yaml.ts";
import { bounds, readChart, unusable } from "./read.ts";

const File = z.object({ name: z.string(), data: z.base64().nullish() });

/** What Helm 3 and 4 keep of a chart in a release; the charts below it are not among it (seen on 3.17.3, 4.1.4 and 4.2.3). */
const StoredRelease = z.object({
  chart: z.object({
    metadata: z.looseObject({
      name: z.string().min(1),
      version: z.string().min(1),
      dependencies: z.array(z.unknown()).nullish(),
    }),
    templates: z.array(File).nullish(),
    files: z.array(File).nullish(),
    values: z.record(z.string(), z.unknown()).nullish(),
    schema: z.base64().nullish(),
  }),
});

/**
 * The packed chart out of the Secret that helm keeps a release in; `undefined` where it has charts below it, which helm
 * does not keep: the rest of it would render something else.
 * @throws Failure CHART_UNUSABLE
 */
export async function storedChart(secret: unknown, what: string): Promise<Uint8Array | undefined> {
  const { metadata, templates, files, values, schema } = readStored(secret, what);
  if ((metadata.dependencies ?? []).length > 0) return undefined;
  const decode = (data: string | null | undefined): Buffer => Buffer.from(data ?? "", "base64");
  const kept = [...(templates ?? []), ...(files ?? [])];
  if (![metadata.name, ...kept.flatMap(({ name }) => name.split("/"))].every(isFileName)) throw unusable(what, "name");
  const packed = pack(metadata.name, what, {
    ...Object.fromEntries(kept.map(({ name, data }) => [name, decode(data)])),
    ...(schema === undefined || schema === null ? {} : { "values.schema.json": decode(schema) }),
    "values.yaml": printTyped(values ?? {}),
    "Chart.yaml": printTyped(metadata),
  });
  await readChart(packed, what);
  return packed;
}

function pack(name: string, what: string, files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  try {
    return packChart(name, files);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new Failure("CHART_UNUSABLE", { chart: what, why: "name" }, { cause });
  }
}

/** Base64 by Kubernetes, base64 by helm, gzip, JSON: https://helm.sh/docs/topics/advanced/#storage-backends */
function readStored(secret: unknown, what: string): z.output<typeof StoredRelease>["chart"] {
  try {
    const { release } = z.object({ data: z.object({ release: z.base64() }) }).parse(secret).data;
    const packed = Buffer.from(Buffer.from(release, "base64").toString("latin1"), "base64");
    const size = bounds.unpacked;
    const plain = gunzipSync(packed, { maxOutputLength: size });
    return StoredRelease.parse(parseBounded(plain, { size })).chart;
  } catch {
    // No cause: what is wrong with it would be quoted, and a release holds values.
    throw unusable(what, "release");
  }
}
