import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPorts, type BuildWiring } from "../../src/cli/wire/build-ports.ts";
import type { Context } from "../../src/cli/context.ts";
import { registryPool, type RegistryPool } from "../../src/cli/wire/registries.ts";
import type { Event } from "../../src/model/event.ts";
import { Failure, isFailure } from "../../src/model/failure.ts";
import type { Finding } from "../../src/model/finding.ts";
import type { Lock } from "../../src/model/lock.ts";
import { BundleSpec, type Registries } from "../../src/model/spec.ts";
import { planBuild } from "../../src/pipeline/build.ts";
import type { RehearsedSite } from "../../src/pipeline/rehearsal.ts";
import type { SmallFile } from "../../src/stages/bundle/ports.ts";
import { anIndex } from "./builders/images.ts";
import { aStore, bytesOf, type Graph } from "./builders/graph.ts";
import { aTempDirectory } from "./temp-directory.ts";
import { tools, type HelmLine } from "./tools.ts";

export interface MadeChart {
  readonly name: string;
  readonly version: string;
  readonly archive: Uint8Array;
}

export interface PlannedBuild {
  /** Of a packed chart; its file is made from these bytes. */
  readonly chart?: MadeChart;
  /** Text of the relocation map; without one it is learned. */
  readonly map?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly platforms?: readonly string[];
  readonly images?: readonly string[];
  readonly plugins?: Readonly<Record<string, unknown>>;
  readonly manifests?: Readonly<Record<string, string>>;
  readonly crds?: Readonly<Record<string, string>>;
  /** What registries have, by reference; for what is not here `otherwise` is asked. */
  readonly content?: Readonly<Record<string, Graph>>;
  readonly otherwise?: (reference: string) => Graph | Failure;
  /** Real registries, in place of all that. */
  readonly registries?: Registries;
  readonly site?: RehearsedSite;
  /** A line, or another program in its place. */
  readonly helm?: HelmLine | { readonly path: string };
  readonly allowMissing?: boolean;
}

export interface PlannedBuildResult {
  readonly findings: readonly Finding[];
  readonly lock: Lock | undefined;
  readonly failure: Failure | undefined;
  readonly events: readonly Event[];
  /** Every manifest that was asked for. */
  readonly asked: readonly string[];
  /** Media types of what was read below them. */
  readonly read: readonly string[];
}

/** In `bin/` is all that an install on this platform wants. */
const programs = ["higress-airgap", "helm", "kubectl"].map((program) => ({
  name: `bin/${program}-linux-amd64`,
  size: 0,
  sha256: "0".repeat(64),
  open: () => [] as unknown as AsyncIterable<Uint8Array>,
}));

/** A build up to the first byte, with real helm and the program's own wiring, from registries in memory. */
export async function aPlannedBuild(options: PlannedBuild): Promise<PlannedBuildResult> {
  await using folder = await aTempDirectory();
  const spec = BundleSpec.parse({
    apiVersion: "higress-airgap/v1",
    kind: "BundleSpec",
    name: "made",
    version: "1.0.0",
    platforms: options.platforms ?? ["linux/amd64"],
    charts: await chartsOf(options, folder.path),
    images: options.images ?? [],
    plugins: options.plugins ?? {},
  });
  const events: Event[] = [];
  const asked: string[] = [];
  const read: string[] = [];
  const report = (event: Event): number => events.push(event);
  const manifests = filesOf("manifests/user", options.manifests);
  const context = {
    env: process.env,
    signal: new AbortController().signal,
    reporter: { report },
  } as unknown as Context;
  const wiring: BuildWiring = {
    spec,
    helm: typeof options.helm === "object" ? options.helm.path : (await tools(options.helm ?? "3.17")).helm,
    manifests,
    output: undefined as unknown as BuildWiring["output"],
    hashing: undefined as unknown as BuildWiring["hashing"],
    reuse: [],
    site: options.site,
  };
  const { registries } = options;
  await using pool =
    registries === undefined
      ? aPool(options, { asked, read })
      : registryPool({ registries, baseDirectory: folder.path, side: "source" }, context);
  await using ports = await buildPorts(wiring, pool, context);
  const input = {
    ...{ spec, specText: "", manifests, crds: filesOf("crds", options.crds), extras: [], tools: programs },
    tool: { name: "higress-airgap", version: "0.0.0" },
  };
  const findingsOf = (): Finding[] => events.flatMap((event) => (event.type === "finding" ? [event.finding] : []));
  try {
    const { allowMissing = false } = options;
    const { lock } = await planBuild(input, ports, { report, allowMissing });
    return { findings: findingsOf(), lock, failure: undefined, events, asked, read };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { findings: findingsOf(), lock: undefined, failure: error, events, asked, read };
  }
}

async function chartsOf({ chart, map, values }: PlannedBuild, folder: string): Promise<readonly object[]> {
  if (chart === undefined) return [];
  const from = join(folder, "chart.tgz");
  await writeFile(from, chart.archive);
  const relocation = join(folder, "map.yaml");
  if (map !== undefined) await writeFile(relocation, map);
  const { name, version } = chart;
  return [{ name, version, from, ...(map === undefined ? {} : { relocation }), ...(values && { values }) }];
}

function filesOf(folder: string, files: Readonly<Record<string, string>> = {}): readonly SmallFile[] {
  return Object.entries(files).map(([name, text]) => ({ name: `${folder}/${name}`, bytes: Buffer.from(text) }));
}

function aPool(
  { content = {}, otherwise = () => anIndex() }: PlannedBuild,
  { asked, read }: Record<"asked" | "read", string[]>,
): RegistryPool {
  const repository: RegistryPool["repository"] = ({ registry, repository: path }) => {
    const graphs = new Map<string, Graph>();
    const find = (reference: string): Graph => {
      const graph = graphs.get(reference) ?? content[reference] ?? otherwise(reference);
      if (graph instanceof Failure) throw graph;
      graphs.set(reference, graph);
      return graph;
    };
    const store = aStore();
    const resolve = (pointer: string): Promise<unknown> => {
      const reference = `${registry}/${path}${pointer.startsWith("sha256:") ? "@" : ":"}${pointer}`;
      asked.push(reference);
      const graph = find(reference);
      for (const [digest, bytes] of graph.blobs) store.put(digest, bytes);
      return Promise.resolve({ descriptor: graph.root, bytes: bytesOf(graph) });
    };
    const fetch: typeof store.fetch = (descriptor, ...more) => {
      read.push(descriptor.mediaType);
      return store.fetch(descriptor, ...more);
    };
    const made = { resolve, fetch };
    return Promise.resolve(made as unknown as Awaited<ReturnType<RegistryPool["repository"]>>);
  };
  const dispose = (): Promise<void> => Promise.resolve();
  return { repository, [Symbol.asyncDispose]: dispose } as unknown as RegistryPool;
}
