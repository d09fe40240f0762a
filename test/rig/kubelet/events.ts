import { createHash } from "node:crypto";

import type { Pod } from "kubernetes-types/core/v1.js";

import { ApiError, type KubeApi } from "./api.ts";
import { seconds } from "./container.ts";

export interface PodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly container?: string;
}

/** Posts the events of one pod; the same one again raises its count, as the real recorder does. */
export class Recorder {
  readonly #api: KubeApi;
  readonly #counts = new Map<string, number>();

  constructor(api: KubeApi) {
    this.#api = api;
  }

  async post(pod: Pod, event: PodEvent): Promise<void> {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    const id = `${name}.${createHash("sha256")
      .update(JSON.stringify([uid, event]))
      .digest("hex")
      .slice(0, 16)}`;
    const count = (this.#counts.get(id) ?? 0) + 1;
    this.#counts.set(id, count);
    const path = `/api/v1/namespaces/${namespace}/events`;
    const now = seconds(Date.now());
    try {
      if (count > 1) await this.#api.patch(`${path}/${id}`, { count, lastTimestamp: now });
      else await this.#api.create(path, { ...eventAbout(pod, event, now), metadata: { name: id, namespace } });
    } catch (error) {
      // A namespace that is being deleted takes no new objects; the real kubelet loses events then too.
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

function eventAbout({ metadata, spec }: Pod, { type, reason, message, container }: PodEvent, now: string): object {
  return {
    involvedObject: {
      apiVersion: "v1",
      kind: "Pod",
      namespace: metadata?.namespace,
      name: metadata?.name,
      uid: metadata?.uid,
      ...(container !== undefined && { fieldPath: `spec.containers{${container}}` }),
    },
    type,
    reason,
    message,
    source: { component: "kubelet", host: spec?.nodeName },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}
