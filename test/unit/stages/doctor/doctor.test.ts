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
