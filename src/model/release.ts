import * as z from "zod";

/** `manifests/release.json`: what the far side needs to know of the spec, without its comments, paths and registries. */
export const ReleaseDocument = z.strictObject({
  charts: z
    .array(
      z.strictObject({
        name: z.string().max(128),
        version: z.string().max(128),
        file: z.string().max(300).describe("Entry of the bundle: charts/NAME-VERSION.tgz"),
        release: z.string().max(128),
        namespace: z.string().max(128),
        valuesFiles: z
          .array(z.string().max(4 * 1024 ** 2))
          .max(100)
          .default([])
          .describe("Values files as they are written; `values` over them"),
        values: z.record(z.string(), z.unknown()),
        relocation: z.string().max(300).describe("Entry of the bundle that holds the relocation map"),
      }),
    )
    .max(100),
  crds: z.array(z.string().max(300)).max(1000),
  manifests: z.array(z.string().max(300)).max(1000),
  mcpServer: z.string().max(128).optional(),
});
export interface ReleaseDocument extends z.output<typeof ReleaseDocument> {}

export const releaseEntry = "manifests/release.json";
