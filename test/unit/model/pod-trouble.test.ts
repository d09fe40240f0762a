import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { troubleOf } from "../../../src/model/pod-trouble.ts";
import { aPod } from "../../rig/pods.ts";

const killed = (exitCode: number, reason = "Error") =>
  aPod({ name: "gateway-1", waiting: { reason: "CrashLoopBackOff" }, ended: { exitCode, reason }, restarts: 2 }) as Pod;
const event = (reason: string, message: string) => ({
  reason,
  message,
  involvedObject: { kind: "Pod", name: "gateway-1", namespace: "higress-system", uid: "uid-gateway-1" },
  metadata: {},
});
const probe = event("Killing", "Container main failed liveness probe, will be restarted");

describe("what SIGKILL means", () => {
  it.each<[string, Parameters<typeof troubleOf>, string, string]>([
    ["memory, when nothing else killed it", [killed(137)], "out-of-memory", "exit 137"],
    ["memory, when the kubelet says so", [killed(137, "OOMKilled"), [probe]], "out-of-memory", "exit 137"],
    ["its liveness probe", [killed(137), [probe]], "crash", `exit 137 ${probe.message}`],
    ["its liveness probe, ended in time", [killed(143), [probe]], "crash", `exit 143 ${probe.message}`],
    ["a crash, whatever a probe said before", [killed(139), [probe]], "crash", "exit 139"],
  ])("%s", (_name, [pod, events], kind, message) => {
    expect(troubleOf(pod, events)).toMatchObject({ class: kind, message });
  });
});
