import { describe, expect, it } from "vitest";
import type { Event } from "../../../../src/model/event.ts";
import type { KubeQuery, LogQuery } from "../../../../src/model/kubernetes.ts";
import { watchRollout } from "../../../../src/stages/rollout/watch.ts";
import { aHeldClock } from "../../../rig/held-clock.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aDeployment, aPod, type PodShape } from "../../../rig/pods.ts";

const gateway = [{ kind: "Deployment", name: "gateway" }] as const;

interface World {
  readonly ready?: number;
  /** Of the template before, and ready. */
  readonly old?: number;
  readonly pods?: readonly PodShape[];
  readonly conditions?: readonly object[];
}

/** Watches a gateway that looks like `first`, and like `later[second]` from that second on. */
async function watched(first: World, later: Readonly<Record<number, World>> = {}, logs?: (query: LogQuery) => string) {
  const events: Event[] = [];
  let cluster = clusterOf(first);
  const clock = aHeldClock((now) => {
    const world = later[now / 1000];
    if (world !== undefined) cluster = clusterOf(world);
  });
  const port = {
    list: <T>(query: KubeQuery) => cluster.list<T>(query),
    logs: (query: LogQuery) => Promise.resolve(logs?.(query)),
  };
  const failure = await watchRollout(gateway, port, {
    namespace: "higress-system",
    seconds: 600,
    report: (event) => events.push(event),
    clock,
  }).then(
    () => undefined,
    (error: unknown) => error as { code: string; facts: { why: string; seconds: number } },
  );
  return { failure, events, seconds: clock.slept() / 1000 };
}

function clusterOf({ ready = 0, old = 0, pods = [], conditions = [] }: World): MemoryCluster {
  const cluster = new MemoryCluster();
  const deployment = aDeployment("gateway", { ready });
  const status = deployment["status"] as { replicas: number; availableReplicas: number };
  const counts = { replicas: status.replicas + old, availableReplicas: status.availableReplicas + old };
  cluster.add({ ...deployment, status: { ...status, ...counts, conditions } });
  for (const pod of pods) cluster.add(aPod({ app: "gateway", ...pod }));
  return cluster;
}

describe("watchRollout", () => {
  it("ends when every pod of the newest generation is available, and says each change once", async () => {
    const { failure, events, seconds } = await watched({ pods: [{ name: "g-1", ready: false }] }, { 8: { ready: 1 } });
    expect(failure).toBeUndefined();
    expect(seconds).toBe(8);
    expect(events).toEqual([
      { type: "step", phase: "apply", name: "gateway", done: 0, items: 1 },
      { type: "note", text: "waiting", facts: { workload: "gateway", ready: 0, wanted: 1 } },
      { type: "note", text: "waiting", facts: { workload: "gateway", ready: 1, wanted: 1 } },
    ]);
  });

  it("tells those that are new from those that were there before", async () => {
    const { events } = await watched({ ready: 1, old: 1 }, { 4: { ready: 1 } });
    expect(events).toEqual([
      { type: "step", phase: "apply", name: "gateway", done: 0, items: 1 },
      { type: "note", text: "waiting-old", facts: { workload: "gateway", ready: 1, wanted: 1, old: 1 } },
      { type: "note", text: "waiting", facts: { workload: "gateway", ready: 1, wanted: 1 } },
    ]);
  });

  it.each([
    ["pull-secret", "failed to authorize: 401 Unauthorized"],
    ["not-mirrored", "harbor.test/higress/gateway:2: not found"],
    ["node-ca", "tls: failed to verify certificate: x509: certificate signed by unknown authority"],
    ["platform", "no match for platform in manifest: not found"],
  ])("gives up after a minute of %s, which no waiting mends", async (name, message) => {
    const pods = [{ name: "g-1", waiting: { reason: "ErrImagePull", message } }];
    const { failure, events, seconds } = await watched({ pods });
    expect(failure).toMatchObject({ code: "ROLLOUT_STUCK", facts: { workload: "gateway" } });
    expect(failure?.facts.why).toBe(`g-1: ${name}: ErrImagePull: ${message}`);
    expect(seconds).toBe(60);
    expect(events.filter(({ type }) => type === "finding")).toHaveLength(1);
  });

  it.each([
    ["dns", "lookup harbor.test: no such host"],
    ["network", "dial tcp 10.0.0.1:443: i/o timeout"],
  ])("waits to the end for %s, which may come back", async (name, message) => {
    const pods = [{ name: "g-1", waiting: { reason: "ErrImagePull", message } }];
    const { failure, seconds } = await watched({ pods });
    expect(failure?.facts.why).toContain(`g-1: ${name}`);
    expect(seconds).toBe(600);
  });

  it("forgets trouble that mended in time", async () => {
    const bad = { pods: [{ name: "g-1", waiting: { reason: "ErrImagePull", message: "x: not found" } }] };
    const { failure } = await watched(bad, { 40: { pods: [] }, 50: bad, 100: { ready: 1 } });
    expect(failure).toBeUndefined();
  });

  it("ends with the last words of a container that crashes", async () => {
    const pods = [{ name: "g-1", waiting: { reason: "CrashLoopBackOff" }, ended: { exitCode: 1 }, restarts: 3 }];
    const { failure } = await watched({ pods }, {}, ({ previous }) =>
      previous === true ? "begin\nbind: in use\n" : "",
    );
    expect(failure?.facts.why).toBe("g-1: crash: CrashLoopBackOff: exit 1: bind: in use");
  });

  it("believes a controller that has given up, at once", async () => {
    const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" }];
    const { failure, seconds } = await watched({ conditions });
    expect(failure?.facts.why).toBe("FailedCreate: exceeded quota");
    expect(seconds).toBe(0);
  });

  it("names a node's refusal and a workload that never came", async () => {
    const pods = [{ name: "g-1", unschedulable: "0/3 nodes are available: 3 Insufficient memory." }];
    expect((await watched({ pods })).failure?.facts.why).toBe(
      "g-1: unschedulable: Unschedulable: 0/3 nodes are available: 3 Insufficient memory.",
    );
    const nothing = { list: () => Promise.resolve([]), logs: () => Promise.resolve(undefined) };
    const options = { namespace: "x", seconds: 4, report: () => undefined, clock: aHeldClock() };
    await expect(watchRollout(gateway, nothing, options)).rejects.toMatchObject({ facts: { why: "0/1", seconds: 4 } });
  });

  it("stops as soon as it is told to", async () => {
    const nothing = { list: () => Promise.resolve([]), logs: () => Promise.resolve(undefined) };
    const signal = AbortSignal.abort(new Error("enough"));
    const options = { namespace: "x", seconds: 4, report: () => undefined, signal };
    await expect(watchRollout(gateway, nothing, options)).rejects.toThrow("enough");
  });
});
