import { describe, expect, it } from "vitest";
import { finding } from "../../../../src/model/finding.ts";
import type { WasmPlugin } from "../../../../src/model/wasm-plugin.ts";
import { checkCluster, type CheckInput } from "../../../../src/stages/check/check.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aPod } from "../../../rig/pods.ts";

const namespace = "higress-system";
const carried = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;
const input: CheckInput = { namespace, inside: ["harbor.test:8443"], carried: new Set([carried]) };
const good = { image: "harbor.test:8443/higress/gateway:2", imageID: `harbor.test:8443/higress/gateway@${carried}` };
const plugin = (name: string, url: string, off = false): WasmPlugin => ({
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name, namespace },
  spec: { url, defaultConfigDisable: off },
});

describe("checkCluster", () => {
  it("finds nothing where everything comes from here", async () => {
    const cluster = new MemoryCluster();
    cluster.add(aPod({ name: "g", ...good }));
    cluster.add(plugin("oci", "oci://harbor.test:8443/higress/plugins/a:1"));
    cluster.add(plugin("plain", "harbor.test:8443/higress/plugins/a:1"));
    cluster.add(plugin("server", "http://higress-plugin-server.higress-system.svc/plugins/a/1/plugin.wasm"));
    cluster.add(plugin("file", "file:///opt/plugins/a.wasm"));
    expect(await checkCluster(input, cluster)).toEqual([]);
  });

  it("names every image and plugin from outside, also the implied docker.io, and a switched-off one as a warning", async () => {
    const cluster = new MemoryCluster();
    cluster.add(aPod({ name: "g", ...good, image: "redis:7" }));
    cluster.add(plugin("on", "oci://public.test/a:1"));
    cluster.add(plugin("off", "http://public.test/a.wasm", true));
    cluster.add(plugin("implied", "plugins/a:1"));
    const findings = await checkCluster(input, cluster);
    expect(findings.map(({ severity, facts }) => [severity, (facts as { host: string }).host])).toEqual([
      ["error", "docker.io"],
      ["error", "public.test"],
      ["warning", "public.test"],
      ["error", "docker.io"],
    ]);
  });

  it("names a running image that the bundle does not have, whatever its tag says", async () => {
    const cluster = new MemoryCluster();
    cluster.add(aPod({ name: "g", ...good, imageID: `harbor.test:8443/higress/gateway@${other}` }));
    expect(await checkCluster(input, cluster)).toMatchObject([
      { code: "cluster.image-unknown", facts: { digest: other } },
    ]);
  });

  it("reports the proof over the stored release, pods in trouble, and URLs without an answer, all together", async () => {
    const cluster = new MemoryCluster();
    cluster.add(aPod({ name: "g", ...good, waiting: { reason: "CrashLoopBackOff" }, ended: { exitCode: 1 } }));
    const outside = finding("error", "reference.outside", { where: "x", path: "/", value: "v", host: "h" });
    const findings = await checkCluster(
      {
        ...input,
        release: "kind: X",
        prove: (yaml) => (yaml === "kind: X" ? [outside] : []),
        urls: [
          { plugin: "a", url: "http://a" },
          { plugin: "b", url: "http://b" },
        ],
        answers: (url) => Promise.resolve(url === "http://a" ? undefined : "404"),
      },
      cluster,
    );
    expect(findings.map(({ code }) => code)).toEqual([
      "cluster.pod-stuck",
      "reference.outside",
      "plugin.url-unanswered",
    ]);
  });
});
