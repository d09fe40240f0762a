import type { KubeObject } from "../../src/model/kubernetes.ts";

export interface PodShape {
  readonly name: string;
  readonly namespace?: string;
  readonly app?: string;
  readonly ready?: boolean;
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly ended?: { readonly exitCode: number; readonly reason?: string };
  readonly restarts?: number;
  readonly unschedulable?: string;
  readonly image?: string;
  readonly imageID?: string;
  readonly account?: string;
  readonly uid?: string;
}

/** A pod with one container as the API server shows it; ready unless something is wrong with it. */
export function aPod(shape: PodShape): KubeObject {
  const { name, namespace = "higress-system", app = name, image = defaultImage, account = "default" } = shape;
  const ready = isReady(shape);
  const conditions = [...scheduling(shape), { type: "Ready", status: ready ? "True" : "False" }];
  const containerStatuses = shape.unschedulable === undefined ? [containerStatus(shape)] : [];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, uid: shape.uid ?? `uid-${name}`, labels: { app } },
    spec: { serviceAccountName: account, containers: [{ name: "main", image }] },
    status: { phase: ready ? "Running" : "Pending", conditions, containerStatuses },
  };
}

const defaultImage = "harbor.test/higress/gateway:2";

function isReady({ ready, waiting, ended, unschedulable }: PodShape): boolean {
  return ready ?? (waiting === undefined && ended === undefined && unschedulable === undefined);
}

function containerStatus(shape: PodShape): object {
  const { waiting, ended, restarts = 0, image = defaultImage, imageID = "" } = shape;
  const state = waiting === undefined ? { running: {} } : { waiting };
  const lastState = ended === undefined ? {} : { terminated: { reason: "Error", ...ended } };
  return { name: "main", ready: isReady(shape), image, imageID, restartCount: restarts, state, lastState };
}

function scheduling({ unschedulable: message }: PodShape): readonly object[] {
  return message === undefined ? [] : [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
}

/** A Deployment whose pods carry the label app=NAME. */
export function aDeployment(name: string, { ready = 1, replicas = 1, namespace = "higress-system" } = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { spec: { containers: [{ name, image: "x" }] } },
    },
    status: { observedGeneration: 1, replicas, updatedReplicas: replicas, availableReplicas: ready },
  };
}
