import { describe, expect, it } from "vitest";
import { finding } from "../../../../src/model/finding.ts";
import type { WasmPlugin } from "../../../../src/model/wasm-plugin.ts";
import type { Digest } from "../../../../src/model/digest.ts";
import { type AskUrl, checkCluster, type CheckInput } from "../../../../src/stages/check/check.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aPod } from "../../../rig/pods.ts";

const namespace = "higress-system";
const carried = `sha256:${"a".repeat(64)}` as Digest;
const other = `sha256:${"b".repeat(64)}` as Digest;
const host = "harbor.test:8443";
const question = { digest: carried, where: "Deployment higress-console", path: "env/X" } as const;
const answers: AskUrl = (url) => {
  if (url.includes("gone")) return Promise.resolve({ state: "refused", answer: "404" });
  if (url.includes(".svc")) return Promise.resolve({ state: "not-asked", command: "kubectl get --raw /x" });
  return Promise.resolve({ state: "answers", digest: url.includes("other") ? other : carried });
};
const input: CheckInput = {
  namespace,
  inside: { prefixes: ["harbor.test:8443/higress"], hosts: ["harbor.test:8443"] },
  carried: new Set([carried]),
  urls: [],
  ask: answers,
};
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
    expect(findings.map(({ severity, code }) => [severity, code])).toEqual([
      ["error", "reference.outside"],
      ["error", "cluster.leftover-plugin"],
      ["warning", "plugin.off-outside"],
      ["error", "cluster.leftover-plugin"],
    ]);
  });

  it("warns of a plugin that is on in two versions, and not of one that is on in one", async () => {
    const cluster = new MemoryCluster();
    const of = (name: string, version: string, off = false): WasmPlugin => {
      const made = plugin(`${name}-${version}`, `oci://harbor.test:8443/higress/plugins/${name}:${version}`, off);
      return { ...made, metadata: { ...made.metadata, labels: { "higress.io/wasm-plugin-name": name } } };
    };
    for (const each of [
      of("ai-proxy", "2.0.1"),
      of("ai-proxy", "1.0.0"),
      of("cors", "1.0.0", true),
      of("cors", "1.1.0"),
    ])
      cluster.add(each);
    const facts = { plugin: "ai-proxy", objects: "ai-proxy-1.0.0, ai-proxy-2.0.1" };
    expect(await checkCluster(input, cluster)).toEqual([{ severity: "warning", code: "plugin.several-on", facts }]);
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
          { ...question, plugin: "a", url: `oci://${host}/a:1` },
          { ...question, plugin: "b", url: `oci://${host}/gone:1` },
        ],
      },
      cluster,
    );
    expect(findings.map(({ code }) => code)).toEqual([
      "cluster.pod-stuck",
      "reference.outside",
      "plugin.url-unanswered",
    ]);
  });

  it("asks for every URL inside and for none outside; another digest behind one is no answer", async () => {
    const asked: string[] = [];
    const ask: AskUrl = (url, signal) => {
      asked.push(url);
      return answers(url, signal);
    };
    const url = (plugin: string, at: string) => ({ ...question, plugin, url: at });
    const urls = [
      url("good", `oci://${host}/higress/good:1`),
      url("gone", `oci://${host}/higress/gone:1`),
      url("other", `oci://${host}/higress/other:1`),
      url("inner", "http://plugins.higress-system.svc/plugins/inner/1/plugin.wasm"),
      url("public", "oci://public.test/a:1"),
      url("public too", "oci://public.test/b:1"),
      url("local", "file:///opt/plugins/a.wasm"),
    ];
    const findings = await checkCluster({ ...input, urls, ask }, new MemoryCluster());
    expect(
      findings.map(({ severity, code, facts }) => [severity, code, (facts as { plugin?: string }).plugin]),
    ).toEqual([
      // One setting sends them there: one finding.
      ["error", "reference.outside", undefined],
      ["error", "plugin.url-unanswered", "gone"],
      ["error", "plugin.url-unanswered", "other"],
      ["note", "plugin.url-not-asked", "inner"],
    ]);
    expect(asked.filter((each) => /public|file/.test(each))).toEqual([]);
  });
});
