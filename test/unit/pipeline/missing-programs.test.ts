import { expect, it } from "vitest";
import { missingPrograms } from "../../../src/pipeline/missing-programs.ts";

const carried = ["higress-airgap-linux-amd64", "helm-linux-amd64", "kubectl-linux-amd64", "helm-linux-arm64"].map(
  (name) => ({
    name: `bin/${name}`,
  }),
);

it("says by platform what bin/ lacks, whatever the variant", () => {
  const found = missingPrograms(["linux/amd64", "linux/arm64/v8", "windows/amd64"], carried, { installsCharts: true });
  expect(found.map(({ severity, code, facts }) => [severity, code, facts])).toEqual([
    // As a single executable that was moved away from its sibling would pack it.
    ["warning", "bundle.installer-missing", { platform: "linux/arm64/v8", program: "higress-airgap-linux-arm64" }],
    ["warning", "bundle.tools-missing", { platform: "linux/arm64/v8", programs: "kubectl-linux-arm64" }],
  ]);
});

it("wants helm and kubectl only where there is a chart to install", () => {
  const found = missingPrograms(["linux/amd64"], [], { installsCharts: false });
  expect(found.map(({ severity, code }) => [severity, code])).toEqual([["note", "bundle.installer-missing"]]);
});
