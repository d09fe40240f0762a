import * as z from "zod";
import { listOf } from "./list-of.ts";
import { ChartName, ChartVersion, EntryIn, NameText, NamespaceName, Prose, ReleaseName } from "./names.ts";

/** `manifests/release.json`: what the far side needs to know of the spec, without its comments, paths and registries. */
export const ReleaseDocument = z.strictObject({
  charts: z
    .array(
      z.strictObject({
        name: ChartName,
        version: ChartVersion,
        file: EntryIn("charts").describe("Entry of the bundle: charts/NAME-VERSION.tgz"),
        release: ReleaseName,
        namespace: NamespaceName,
        valuesFiles: z
          .array(Prose(4 * 1024 ** 2))
          .max(100)
          .default([])
          .describe("Values files as they are written; `values` over them"),
        values: z.record(z.string(), z.unknown()),
        relocation: EntryIn("manifests").describe("Entry of the bundle that holds the relocation map"),
      }),
    )
    .max(100),
  crds: listOf(EntryIn("crds"), 1000),
  manifests: listOf(EntryIn("manifests"), 1000),
  mcpServer: NameText.optional(),
});
export interface ReleaseDocument extends z.output<typeof ReleaseDocument> {}

export const releaseEntry = "manifests/release.json";
