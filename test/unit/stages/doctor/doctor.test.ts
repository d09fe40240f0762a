import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { LogQuery } from "../../../../src/model/kubernetes.ts";
import { SymptomTable } from "../../../../src/model/symptom.ts";
import { doctor, readLogs } from "../../../../src/stages/doctor/doctor.ts";
import { loadTyped } from "../../../../src/std/yaml.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aPod } from "../../../rig/pods.ts";

const { symptoms } = SymptomTable.parse(loadTyped(readFileSync("manifests/higress/symptoms.yaml", "utf8"))[0]);
const wrapper = "error wasm cannot fetch Wasm module oci://public.test/x:1: boom";
const cause = 'could not fetch manifest: Get "https://public.test/v2/": dial tcp: lookup public.test: no such host';

/** Of two plugins, one after the other, as the agent writes them. */
const refusals = [
  "error\twasm\terror in converting the wasm config to local: cannot fetch Wasm module oci://h/a:1: could not fetch Wasm binary: the given image is in invalid format as an OCI image: 2 errors occurred:",
  "\t* could not parse as compat variant: invalid media type application/vnd.module.wasm.content.layer.v1+wasm",
  "\t* could not parse as oci variant: number of layers must be 2 but got 1",
  ". applying deny RBAC filter",
  "error\twasm\terror in converting the wasm config to local: cannot fetch Wasm module oci://h/b:1: fetched Wasm binary from oci://h/b:1 is invalid. applying deny RBAC filter",
];

describe("readLogs", () => {
  it("names the cause and not its consequence, in either language, with the line it was read from", () => {
    const log = ["starting", wrapper, cause, cause].join("\n");
    const [first, ...more] = readLogs(log, { symptoms, language: "en" });
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      code: "doctor.cause",
      severity: "error",
      facts: { symptom: "A plugin's registry or server has no address in this network.", evidence: `${cause} (2×)` },
    });
    expect(JSON.stringify(readLogs(log, { symptoms, language: "zh" }))).toContain("在本网络中无法解析");
  });

  it("names every plugin of which it is seen, once, and not what follows from it", () => {
    const log = ["a", "b", "a"].flatMap((plugin) => [
      "error\tenvoy wasm source/extensions/common/wasm/wasm_vm.cc:38\tFunction: proxy_on_configure failed: Uncaught RuntimeError: unreachable",
      "error\tenvoy wasm source/extensions/common/wasm/wasm.cc:103\tWasm VM failed Failed to configure base Wasm plugin",
      `critical\tenvoy wasm source/extensions/common/wasm/wasm.cc:615\tPlugin higress-system.${plugin} failed to load`,
      "critical\tenvoy wasm source/extensions/common/wasm/wasm.cc:466\tPlugin configured to fail closed failed to load",
      `warning\tenvoy config\tdelta config for TypedExtensionConfig rejected: Unable to create Wasm plugin higress-system.${plugin}`,
    ]);
    const findings = readLogs(log.join("\n"), { symptoms, language: "en" });
    expect(findings).toMatchObject([
      {
        code: "doctor.plugin-cause",
        facts: {
          plugins: "higress-system.a, higress-system.b",
          symptom: "A plugin crashes while it reads its configuration.",
          evidence: expect.stringMatching(/proxy_on_configure failed.* \(3×\)$/) as string,
        },
      },
    ]);
  });

  it("tells two failures of one plugin apart", () => {
    const ended = "critical\tPlugin higress-system.a failed to load (source/extensions/common/wasm/wasm.cc:615)";
    const of = (why: string) => `error\tenvoy wasm source/extensions/common/wasm/wasm.cc:103\tWasm VM failed ${why}`;
    const log = [of("Failed to configure base Wasm plugin"), ended, of("Failed to start base Wasm"), ended];
    const told = readLogs(log.join("\n"), { symptoms, language: "en" }).map(({ facts }) => JSON.stringify(facts));
    expect(told).toMatchObject([expect.stringContaining("configure base"), expect.stringContaining("start base")]);
  });

  it("takes the agent's reasons below a line for reasons of that line, whoever comes next", () => {
    const told = readLogs(refusals.join("\n"), { symptoms, language: "en" }).map(({ facts }) => facts);
    expect(told).toMatchObject([{ plugins: "oci://h/a:1" }, { plugins: "oci://h/b:1" }]);
  });

  it.each([
    [
      "kubectl logs --prefix of two pods",
      (line: string, pod: string) => `[pod/gateway-${pod}/higress-gateway] ${line}`,
    ],
    [
      "the same with --timestamps, from Windows",
      (line: string, pod: string) => `[pod/gateway-${pod}/higress-gateway] 2026-11-29T06:00:00.123456789Z ${line}\r`,
    ],
  ])("reads the lines of each pod by themselves: %s", (_, written) => {
    const of = (plugin: string): readonly [string, string] => [
      "error\tenvoy wasm source/extensions/common/wasm/wasm.cc:103\tWasm VM failed Failed to configure base Wasm plugin",
      `critical\tenvoy wasm source/extensions/common/wasm/wasm.cc:615\tPlugin higress-system.${plugin} failed to load`,
    ];
    const [failed, a] = of("a");
    const [, b] = of("b");
    // Both at once, as they were written.
    const lines = [written(failed, "1"), written(failed, "2"), written(b, "2"), written(a, "1")];
    const of1 = refusals.map((line) => written(line, "1"));
    const mixed = of1.flatMap((line, at) => [line, written(`info\tready ${String(at)}`, "2")]);
    const told = readLogs([...lines, ...mixed].join("\n"), { symptoms, language: "en" }).map(({ facts }) => facts);
    expect(told).toMatchObject([
      {
        plugins: "higress-system.a, higress-system.b",
        evidence: expect.stringMatching(/^gateway-1\/higress-gateway: error/) as string,
      },
      { plugins: "oci://h/a:1" },
      { plugins: "oci://h/b:1" },
    ]);
  });

  it.each([
    ["containerd's", (line: string) => `2026-11-29T14:00:00.123456789+08:00 stdout F ${line}`],
    [
      "docker's",
      (line: string) => JSON.stringify({ log: `${line}\n`, stream: "stdout", time: "2026-11-29T06:00:00Z" }),
    ],
  ])("reads a file of a node's as its runtime wrote it, %s", (_, written) => {
    const told = readLogs(refusals.map(written).join("\n"), { symptoms, language: "en" }).map(({ facts }) => facts);
    expect(told).toMatchObject([{ plugins: "oci://h/a:1" }, { plugins: "oci://h/b:1" }]);
  });

  it("shows a wrapper when nothing says more, and nothing for a log without trouble", () => {
    expect(readLogs(wrapper, { symptoms, language: "en" })).toHaveLength(1);
    expect(readLogs("Envoy proxy is ready\n", { symptoms, language: "en" })).toEqual([]);
  });
});

describe("doctor", () => {
  it("reads pods, events, both logs and keeps them as evidence without secrets", async () => {
    const cluster = new MemoryCluster();
    const waiting = { reason: "ErrImagePull", message: "harbor.test/higress/console:2: not found" };
    cluster.add(aPod({ name: "console-1", waiting }));
    cluster.add(aPod({ name: "gateway-1", restarts: 1 }));
    const past = { kind: "Pod", name: "console-0", uid: "gone" };
    cluster.add({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", namespace: "higress-system" },
      involvedObject: past,
      message: 'Failed to pull image "x": 401 Unauthorized',
    });
    const port = {
      list: cluster.list.bind(cluster),
      logs: ({ pod, previous }: LogQuery) =>
        Promise.resolve(
          pod === "gateway-1" && previous === true
            ? "Authorization: Basic cGxhbnRlZA==\nCaught Segmentation fault"
            : undefined,
        ),
      raw: () => Promise.resolve(undefined),
    };
    const { findings, evidence } = await doctor(port, { namespace: "higress-system", symptoms, language: "en" });
    expect(findings.map(({ facts }) => (facts as { evidence: string }).evidence)).toEqual([
      "logs/gateway-1/main.previous.log: Caught Segmentation fault",
      "pods.txt: console-1 main ErrImagePull: harbor.test/higress/console:2: not found",
    ]);
    expect(evidence.map(({ name }) => name)).toEqual([
      "pods.txt",
      "events.txt",
      "events-past.txt",
      "logs/gateway-1/main.previous.log",
    ]);
    expect(JSON.stringify(evidence)).not.toContain("cGxhbnRlZA");
  });
});
