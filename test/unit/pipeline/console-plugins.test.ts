import { describe, expect, it } from "vitest";
import type { Finding } from "../../../src/model/finding.ts";
import { BundleSpec } from "../../../src/model/spec.ts";
import type { BuildPorts } from "../../../src/pipeline/build-ports.ts";
import { resolveAll } from "../../../src/pipeline/resolve.ts";
import { containerImage } from "../../../src/stages/discover/discover.ts";

const spec = BundleSpec.parse({
  apiVersion: "higress-airgap/v1",
  kind: "BundleSpec",
  name: "n",
  version: "1.0.0",
  plugins: { discover: true },
});

describe("which image is the console", () => {
  it("is said by the chart's map; where none does, nobody is asked, and that is told", async () => {
    const findings: Finding[] = [];
    const asked = { discoverPlugins: () => Promise.reject(new Error("not to be asked")) } as Partial<BuildPorts>;
    const resolved = await resolveAll(
      spec,
      [],
      { images: [], plugins: [], unreadable: [], console: undefined },
      asked as BuildPorts,
      {
        report: (event) => event.type === "finding" && findings.push(event.finding),
        refusedNames: () => Promise.resolve([]),
      },
    );
    expect(resolved).toEqual([]);
    expect(findings).toMatchObject([{ severity: "warning", code: "plugin.console-unknown" }]);
  });

  it("is found by kind, name and container, not by what its image is called", () => {
    const containers = [
      { name: "side", image: "r/console:1" },
      { name: "higress-console", image: "r/ui:2" },
    ];
    const pod = { spec: { template: { spec: { containers } } } };
    const manifest = [
      { kind: "Deployment", metadata: { name: "minio" }, ...pod },
      { kind: "Deployment", metadata: { name: "higress-console" }, ...pod },
    ].map((object) => JSON.stringify(object));
    const wanted = { kind: "Deployment", name: "higress-console", container: "higress-console" } as const;
    expect(containerImage(manifest.join("\n---\n"), wanted)).toBe("r/ui:2");
    expect(containerImage(manifest[0] ?? "", wanted)).toBeUndefined();
  });
});
