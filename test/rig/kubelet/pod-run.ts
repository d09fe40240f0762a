import type { Container, Pod, PodStatus } from "kubernetes-types/core/v1.js";

import { ApiError, type KubeApi } from "./api.ts";
import type { Behaviour } from "./behaviour.ts";
import { newborn, observe, type ContainerLife, type Observation } from "./container.ts";
import { Recorder, type PodEvent } from "./events.ts";
import { ImageRun, type ImageRunOptions } from "./image-run.ts";
import type { Program, ProgramOf } from "./program.ts";
import { podStatus } from "./status.ts";

export interface PodRunOptions extends ImageRunOptions {
  readonly api: KubeApi;
  readonly podIP: string;
  readonly crashBackoff: number;
  readonly behaviourOf: (pod: Pod, container: string) => Promise<Behaviour>;
  readonly programs: ProgramOf;
  readonly failed: (error: unknown) => void;
}

interface Part {
  readonly image: ImageRun;
  readonly spec: Container;
  readonly init: boolean;
  readonly program: Program | undefined;
  life: ContainerLife;
}

/** One pod on one of our nodes, from the moment it is bound to the moment it is gone. */
export class PodRun {
  readonly #options: PodRunOptions;
  readonly #parts: readonly Part[];
  readonly #events: Recorder;
  #pod: Pod;
  #sent = "";
  #again = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(pod: Pod, options: PodRunOptions) {
    this.#pod = pod;
    this.#options = options;
    this.#events = new Recorder(options.api);
    const { initContainers = [], containers } = pod.spec ?? { containers: [] };
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    const part = (spec: Container, init: boolean): Part => ({
      spec,
      init,
      program: options.programs(pod, spec),
      image: new ImageRun(spec.image ?? "", options),
      life: newborn(
        spec,
        statuses.find(({ name }) => name === spec.name),
      ),
    });
    this.#parts = [...initContainers.map((c) => part(c, true)), ...containers.map((c) => part(c, false))];
  }

  get pod(): Pod {
    return this.#pod;
  }

  container(name: string): ContainerLife | undefined {
    return this.#parts.find(({ spec }) => spec.name === name)?.life;
  }

  program(name: string): Program | undefined {
    return this.#parts.find(({ spec }) => spec.name === name)?.program;
  }

  update(pod: Pod): void {
    // The watch may still bring the pod as it was before our latest write.
    if (version(pod) > version(this.#pod)) this.#pod = pod;
    void this.sync();
  }

  /** Resolves when the status that the pod has by now is written; two at a time become one. */
  sync(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#drain();
    return this.#running;
  }

  /** Like sync(), without waiting for the end of a pull's back-off. */
  hurry(): Promise<void> {
    for (const { image } of this.#parts) image.hurry();
    return this.sync();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const { program } of this.#parts) program?.stop().catch(this.#options.failed);
  }

  async #drain(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#step();
      } catch (error) {
        // The pod went away, or was replaced by one of the same name: the watch tells.
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) continue;
        this.#options.failed(error);
      }
    }
    // In the same turn as the last look at #again, or a call in between would wait for the next heartbeat.
    this.#running = undefined;
  }

  async #step(): Promise<void> {
    const { name = "", namespace = "", uid = "", deletionTimestamp } = this.#pod.metadata ?? {};
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    if (deletionTimestamp !== undefined) {
      await this.#options.api.remove(path, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    if (["Succeeded", "Failed"].includes(this.#pod.status?.phase ?? "")) return;
    const events = await this.#advance();
    const init = this.#parts.filter((part) => part.init).map(({ life }) => life);
    const main = this.#parts.filter((part) => !part.init).map(({ life }) => life);
    const status = podStatus(this.#pod, { init, main, podIP: this.#options.podIP, now: Date.now() });
    await this.#write(path, uid, status);
    for (const event of events) await this.#events.post(this.#pod, event);
    this.#wakeLater();
  }

  async #write(path: string, uid: string, status: PodStatus): Promise<void> {
    const text = JSON.stringify(status);
    if (text === this.#sent) return;
    // With the uid in it, a pod of the same name that replaced ours is not touched.
    this.#pod = (await this.#options.api.patch(`${path}/status`, { metadata: { uid }, status })) as Pod;
    this.#sent = text;
  }

  async #advance(): Promise<readonly PodEvent[]> {
    const events: PodEvent[] = [];
    const initDone = () => this.#parts.every((part) => !part.init || part.life.ready);
    for (const part of this.#parts) {
      if (!part.init && !initDone()) break;
      events.push(...(await part.image.advance(this.#pod)));
      const before = part.life;
      part.life = observe(before, await this.#observation(part));
      events.push(...eventsBetween(before, part.life));
      if (part.init && !part.life.ready) break;
    }
    return events;
  }

  async #observation(part: Part): Promise<Observation> {
    const { image, spec, init } = part;
    return {
      image: image.state,
      behaviour: image.misfit ?? (await this.#behaviour(part)),
      now: Date.now(),
      restartPolicy: this.#pod.spec?.restartPolicy ?? "Always",
      crashBackoff: this.#options.crashBackoff,
      // An init container that is always restarted is a sidecar.
      runsToEnd: init && spec.restartPolicy !== "Always",
      podName: this.#pod.metadata?.name ?? "",
    };
  }

  /** A program is started once its image is there, and again when the pause after its end is over. */
  async #behaviour({ image, program, spec, life }: Part): Promise<Behaviour> {
    if (program === undefined) return this.#options.behaviourOf(this.#pod, spec.name);
    if (image.state.kind !== "present") return { kind: "unready" };
    const paused = life.nextCrash === undefined || Date.now() < life.nextCrash;
    const began = life.state.running !== undefined || life.lastState.terminated !== undefined;
    if (!began || !paused) await program.start();
    return program.behaviour();
  }

  #wakeLater(): void {
    clearTimeout(this.#timer);
    const times = this.#parts.flatMap(({ image, life }) => [image.nextAttempt, life.nextCrash]);
    const next = Math.min(...times.filter((time) => time !== undefined));
    if (!Number.isFinite(next) || this.#stopped) return;
    this.#timer = setTimeout(() => void this.sync(), Math.max(0, next - Date.now()));
    this.#timer.unref();
  }
}

function version(pod: Pod): bigint {
  return BigInt(pod.metadata?.resourceVersion ?? "0");
}

function eventsBetween(before: ContainerLife, after: ContainerLife): readonly PodEvent[] {
  const container = after.spec.name;
  if (after.restarts > before.restarts)
    return [
      { type: "Warning", reason: "BackOff", message: `Back-off restarting failed container ${container}`, container },
    ];
  const unready = ({ behaviour, state }: ContainerLife) => behaviour.kind === "unready" && state.running !== undefined;
  if (after.behaviour.kind === "unready" && unready(after) && !unready(before)) {
    const why = after.behaviour.message ?? "HTTP probe failed with statuscode: 503";
    return [{ type: "Warning", reason: "Unhealthy", message: `Readiness probe failed: ${why}`, container }];
  }
  if (after.state.running !== undefined && before.state.running === undefined)
    return [{ type: "Normal", reason: "Started", message: `Started container ${container}`, container }];
  return [];
}
