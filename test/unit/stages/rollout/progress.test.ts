import { describe, expect, it } from "vitest";
import { progressOf, type Workload } from "../../../../src/stages/rollout/progress.ts";
import { aDeployment } from "../../../rig/pods.ts";

const workload = (kind: string, generation: number, status: object, spec: object = {}): Workload => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name: "w", generation },
  spec,
  status,
});

describe("progressOf", () => {
  it("does not believe counts of the generation before", () => {
    const counts = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    const unseen = progressOf(workload("Deployment", 2, { observedGeneration: 1, ...counts }));
    expect(unseen).toMatchObject({ done: false, old: 1 });
    expect(progressOf(workload("Deployment", 2, { observedGeneration: 2, ...counts })).done).toBe(true);
  });

  it("is not done while pods of the old template still stand", () => {
    const status = { observedGeneration: 1, replicas: 2, updatedReplicas: 1, availableReplicas: 1 };
    expect(progressOf(workload("Deployment", 1, status)).done).toBe(false);
  });

  it("never has more ready than are wanted, though a rollout adds one before it takes one away", () => {
    const status = { observedGeneration: 1, replicas: 4, updatedReplicas: 2, availableReplicas: 4 };
    const progress = progressOf(workload("Deployment", 1, status, { replicas: 3 }));
    expect(progress).toEqual({ ready: 3, wanted: 3, old: 2, done: false });
  });

  it("is done at once with nothing wanted, and counts a DaemonSet by its nodes", () => {
    expect(progressOf(aDeployment("w", { replicas: 0, ready: 0 }) as Workload).done).toBe(true);
    const status = { observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 };
    expect(progressOf(workload("DaemonSet", 1, status))).toEqual({ ready: 2, wanted: 3, old: 0, done: false });
    const half = { ...status, updatedNumberScheduled: 2, numberAvailable: 3 };
    expect(progressOf(workload("DaemonSet", 1, half))).toMatchObject({ ready: 3, old: 1 });
  });

  it("counts ready pods of a StatefulSet where the server has no available ones", () => {
    const status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1 };
    expect(progressOf(workload("StatefulSet", 1, status)).done).toBe(true);
  });
});
