import type { Cluster } from "./cluster.ts";
import { scripted, type Behaviour, type BehaviourOf, type PodSelector, type Script } from "./kubelet/behaviour.ts";
import { aLogServer } from "./kubelet/log-server.ts";
import type { LogRef } from "./kubelet/logs.ts";
import { beat, registerNode, type NodeOptions } from "./kubelet/node.ts";
import { PodRuns } from "./kubelet/pod-runs.ts";
import { followPods } from "./kubelet/pods.ts";
import type { ProgramOf } from "./kubelet/program.ts";
import type { Registries } from "./kubelet/registry.ts";

export type { Behaviour, BehaviourOf, PodSelector } from "./kubelet/behaviour.ts";
export type { LogRef } from "./kubelet/logs.ts";

export interface KubeletOptions extends Partial<Registries> {
  readonly cluster: Cluster;
  /** One amd64 node called node-0 unless told. */
  readonly nodes?: readonly NodeOptions[];
  /** The log of a container whose script says nothing about it. */
  readonly logs?: (ref: LogRef) => readonly string[];
  /** Real programs behind some containers; what they do is then what the pods do. */
  readonly programs?: ProgramOf;
  /** Milliseconds between two looks at every pod; scripts are asked again at each. */
  readonly heartbeat?: number;
  /** Milliseconds from a failed pull to the next, doubling to eight times that (a real one: 10 s, to 5 min). */
  readonly pullBackoff?: number;
  /** Milliseconds from the first crash to the second, doubling to eight times that. */
  readonly crashBackoff?: number;
}

/** Simulated nodes: pods on them become what their images, pull secrets and the test's scripts make of them. */
export interface Kubelet extends AsyncDisposable {
  /** Every image pulled, in order, with the digest its name pointed to. */
  readonly pulled: readonly { readonly image: string; readonly digest: string }[];
  /** What went wrong on our side, not the pods'; empty after a good test. */
  readonly problems: readonly string[];
  /** Makes the containers it selects behave so, until undone. The latest script that fits decides. */
  script(selector: PodSelector, behaviour: Behaviour | BehaviourOf): { undo(): Promise<void> };
  /** Looks at every pod now and tries failed pulls again; resolves when what that led to is in the cluster. */
  poke(): Promise<void>;
}

/**
 * A kubelet without containers: it asks the real registry for every image with the pod's own pull secrets and writes
 * the status that a node would. Not simulated: mounts, probes, networks, exec, an image cache, but for containers that a
 * real program is behind.
 */
export async function aKubelet({
  cluster,
  nodes = [{ name: "node-0" }],
  ...options
}: KubeletOptions): Promise<Kubelet> {
  const { hosts = {}, ca, logs = () => [], heartbeat = 1_000, pullBackoff = 1_000, crashBackoff = 1_000 } = options;
  const { programs = () => undefined } = options;
  const { api } = cluster;
  const scripts: Script[] = [];
  const pulled: { image: string; digest: string }[] = [];
  const problems: string[] = [];
  const stopping = new AbortController();
  const failed = (error: unknown) => {
    if (!stopping.signal.aborted) problems.push(String(error));
  };
  const pods = new PodRuns({
    api,
    nodes,
    registries: { hosts, ca },
    pullBackoff,
    crashBackoff,
    behaviourOf: (pod, container) => scripted(scripts, pod, container),
    programs,
    pulled: (image) => pulled.push(image),
    failed,
    signal: stopping.signal,
  });
  const server = await aLogServer({
    ...cluster.serving,
    lifeOf: (ref) => pods.container(ref),
    streamsOf: (ref) => pods.program(ref)?.streams,
    linesOf(ref) {
      const program = pods.program(ref);
      if (program !== undefined) return ref.previous ? program.earlier : program.lines;
      const behaviour = pods.container(ref)?.behaviour;
      return (behaviour !== undefined && "logs" in behaviour ? behaviour.logs : undefined) ?? logs(ref);
    },
  });
  await Promise.all(nodes.map((node) => registerNode(api, node, server.port)));
  const following = followPods(api, pods, stopping.signal);
  const heart = setInterval(() => {
    Promise.all([pods.sync(), ...nodes.map((node) => beat(api, node, server.port))]).catch(failed);
  }, heartbeat);
  heart.unref();

  return {
    pulled,
    problems,
    poke: () => pods.hurry(),
    script(selector, behaviour) {
      const script = { selector, behaviour: typeof behaviour === "function" ? behaviour : () => behaviour };
      scripts.push(script);
      void pods.sync();
      return {
        async undo() {
          scripts.splice(scripts.indexOf(script), 1);
          await pods.sync();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      clearInterval(heart);
      stopping.abort();
      await following;
      await pods.stop();
      await server.close();
    },
  };
}
