import type { Pod } from "kubernetes-types/core/v1.js";

import type { ContainerLife } from "./container.ts";
import type { LogRef } from "./logs.ts";
import type { NodeOptions } from "./node.ts";
import { PodRun, type PodRunOptions } from "./pod-run.ts";
import type { PodObserver } from "./pods.ts";
import type { Program } from "./program.ts";

export interface PodRunsOptions extends Omit<PodRunOptions, "architecture" | "podIP"> {
  readonly nodes: readonly NodeOptions[];
}

/** The pods bound to our nodes; others pass by. */
export class PodRuns implements PodObserver {
  readonly #options: PodRunsOptions;
  readonly #runs = new Map<string, PodRun>();
  #addresses = 0;

  constructor(options: PodRunsOptions) {
    this.#options = options;
  }

  listed(pods: readonly Pod[]): void {
    const there = new Set(pods.map(({ metadata }) => metadata?.uid));
    for (const [uid, { pod }] of this.#runs) if (!there.has(uid)) this.gone(pod);
    for (const pod of pods) this.changed(pod);
  }

  changed(pod: Pod): void {
    const node = this.#options.nodes.find(({ name }) => name === pod.spec?.nodeName);
    if (node === undefined) return;
    const uid = pod.metadata?.uid ?? "";
    const run = this.#runs.get(uid) ?? this.#start(pod, node);
    this.#runs.set(uid, run);
    run.update(pod);
  }

  gone(pod: Pod): void {
    const uid = pod.metadata?.uid ?? "";
    this.#runs.get(uid)?.stop();
    this.#runs.delete(uid);
  }

  failed(error: unknown): void {
    this.#options.failed(error);
  }

  async sync(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.sync()));
  }

  async hurry(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.hurry()));
  }

  async stop(): Promise<void> {
    for (const run of this.#runs.values()) run.stop();
    await this.sync();
  }

  container({ namespace, pod, container }: LogRef): ContainerLife | undefined {
    for (const run of this.#runs.values()) {
      const { metadata } = run.pod;
      if (metadata?.namespace === namespace && metadata.name === pod) return run.container(container);
    }
    return undefined;
  }

  program(ref: { readonly namespace: string; readonly pod: string; readonly container?: string }): Program | undefined {
    for (const run of this.#runs.values()) {
      const { metadata, spec } = run.pod;
      if (metadata?.namespace !== ref.namespace || metadata.name !== ref.pod) continue;
      const names = ref.container === undefined ? (spec?.containers ?? []).map(({ name }) => name) : [ref.container];
      return names.flatMap((name) => run.program(name) ?? [])[0];
    }
    return undefined;
  }

  #start(pod: Pod, { architecture = "amd64" }: NodeOptions): PodRun {
    const count = ++this.#addresses;
    // Unique is enough: nothing is ever sent to a pod.
    const podIP = `10.244.${String(count >> 8)}.${String(count & 255)}`;
    return new PodRun(pod, { ...this.#options, architecture, podIP });
  }
}
