import * as z from "zod";
import { Setting, WorkloadContainer } from "./relocation.ts";
import { VersionRange } from "./version-range.ts";

const Ranged = { versions: VersionRange.describe("Of the chart, as npm writes ranges"), source: z.string().min(1) };

/** `manifests/higress/rules.yaml`: what rendering a chart cannot show, each for a range of its versions. */
export const RelocationRules = z.strictObject({
  apiVersion: z.literal("higress-airgap/v1"),
  kind: z.literal("RelocationRules"),
  chart: z.string(),
  settings: z.array(
    Setting.pick({ path: true, value: true }).extend({
      part: z.enum(["offline", "pullSecrets", "oci", "http"]).describe("Where in the relocation map it goes"),
      ...Ranged,
    }),
  ),
  trust: z
    .array(
      z.strictObject({ workload: WorkloadContainer.extend({ kind: z.enum(["Deployment", "DaemonSet"]) }), ...Ranged }),
    )
    .default([]),
  console: z.array(z.strictObject({ workload: WorkloadContainer, ...Ranged })).default([]),
});
export interface RelocationRules extends z.output<typeof RelocationRules> {}
export type SettingRule = RelocationRules["settings"][number];
