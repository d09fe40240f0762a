import { createHash } from "node:crypto";
import { Entry } from "../model/bundle.ts";
import type { Descriptor } from "../model/descriptor.ts";
import type { Digest } from "../model/digest.ts";
import { type Phase, reportFindings, stopAt, stopAtErrors } from "../model/event.ts";
import type { Lock, LockItem } from "../model/lock.ts";
import { parseReference } from "../model/reference.ts";
import { releaseEntry, type ReleaseDocument } from "../model/release.ts";
import { deltaSince } from "../stages/bundle/delta.ts";
import { pack, type PackResult } from "../stages/bundle/pack.ts";
import type { LargeFile, PackInput, PlannedBlob, SmallFile } from "../stages/bundle/ports.ts";
import { patchFor } from "../stages/repair/request.ts";
import type { Resolved } from "../stages/resolve/ports.ts";
import { canonicalJson, type Json } from "../std/canonical-json.ts";
import type { BuildInput, BuildOptions, BuildPorts, LoadedChart } from "./build-ports.ts";
import { discover, isOneOf } from "./discover.ts";
import { chartEntry, lockedArchive, refuseOtherFiles, resolveLocked } from "./locked.ts";
import { missingPrograms } from "./missing-programs.ts";
import { rehearse, rehearseNames, type RehearsedBundle } from "./rehearsal.ts";
import { resolveAll } from "./resolve.ts";

export interface BuildResult extends PackResult {
  readonly lock: Lock;
}

/** The connected side, from a spec to one file: discover > resolve > prove (as `rehearse` does) > pack, which fetches. */
export async function build(input: BuildInput, ports: BuildPorts, options: BuildOptions): Promise<BuildResult> {
  options.report({ type: "job", phases: [...planningPhases(input), "pack"] });
  return packPlanned(await planBuild(input, ports, options), ports, options);
}

/** Phases that `planBuild` goes through: what a lock says is not found out again. */
export function planningPhases({ lock }: Pick<BuildInput, "lock">): readonly Phase[] {
  return lock === undefined ? ["discover", "resolve", "prove"] : ["resolve"];
}

/** Writes what was planned. */
export async function packPlanned(
  planned: PackInput,
  { output, hashing }: Pick<BuildPorts, "output" | "hashing">,
  { report, signal, concurrency }: BuildOptions,
): Promise<BuildResult> {
  report({ type: "phase", phase: "pack", state: "started" });
  const result = await pack(planned, output, {
    report,
    startHash: await hashing,
    ...(signal === undefined ? {} : { signal }),
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  report({ type: "phase", phase: "pack", state: "done" });
  return { ...result, lock: planned.lock };
}

/** Everything that is decided before the first byte is written: what would be in the bundle, to the byte. */
export async function planBuild(input: BuildInput, ports: BuildPorts, options: BuildOptions): Promise<PackInput> {
  const { report, signal } = options;
  const charts: LoadedChart[] = [];
  for (const [done, chart] of input.spec.charts.entries()) {
    report({
      type: "step",
      phase: "fetch",
      name: `${chart.name} ${chart.version}`,
      done,
      items: input.spec.charts.length,
    });
    charts.push(await ports.loadChart(chart, { locked: lockedArchive(chart, input.lock), signal }));
  }
  const files = [...input.extras, ...carried(input, charts)];
  const described = describeFiles(files, input.tools);
  if (input.lock !== undefined) {
    refuseOtherFiles(input.lock, described);
    stopAt(input.unreadable ?? [], report, "source");
  }
  const resolved =
    input.lock === undefined
      ? await discoverAndResolve(input, { charts, files }, ports, options)
      : await resolveLocked(input.lock, charts, ports, options);
  reportFindings(
    resolved.flatMap(({ findings }) => findings),
    report,
  );
  // Not with a lock: the build that wrote it was proved, and `refuseOtherFiles` has found the same files here.
  if (input.lock === undefined) await refuseWhatFails(input, { charts, files }, resolved, ports, options);
  reportFindings(missingPrograms(input.spec.platforms, input.tools, { installsCharts: charts.length > 0 }), report);
  const lock = input.lock ?? lockOf(input, charts, resolved, described);
  const blobs = plannedBlobs(resolved);
  const delta = deltaOf(input, blobs);
  return {
    lock,
    blobs,
    files: [...files, { name: Entry.lock, bytes: Buffer.from(canonicalJson(lock as unknown as Json)) }],
    largeFiles: input.tools,
    tool: input.tool,
    sign: input.sign,
    isSigned: input.isSigned,
    ...(delta === undefined ? {} : { delta }),
  };
}

/** Charts that were fetched, and all files that the bundle will have besides blobs and programs. */
interface Contents {
  readonly charts: readonly LoadedChart[];
  readonly files: readonly SmallFile[];
}

/** What would fail inside fails here, before a layer is fetched. @throws Failure FINDINGS once all of it is told */
async function refuseWhatFails(
  input: BuildInput,
  contents: Contents,
  resolved: readonly Resolved[],
  ports: BuildPorts,
  { report, signal }: BuildOptions,
): Promise<void> {
  report({ type: "phase", phase: "prove", state: "started" });
  const items = resolved.map(({ item }) => item);
  const findings = await rehearse(rehearsedBundle(input, contents, items), ports.rehearsal, signal);
  reportFindings(findings, report);
  report({ type: "phase", phase: "prove", state: "done" });
  stopAtErrors(findings, "source");
}

function rehearsedBundle(
  { spec: { version, kubeVersion }, manifests }: BuildInput,
  { charts, files }: Contents,
  items: readonly LockItem[],
): RehearsedBundle {
  return { version, kubeVersion, namespace: charts[0]?.spec.namespace, items, files, manifests };
}

async function discoverAndResolve(
  input: BuildInput,
  contents: Contents,
  ports: BuildPorts,
  options: BuildOptions,
): Promise<readonly Resolved[]> {
  const { report, signal } = options;
  report({ type: "phase", phase: "discover", state: "started" });
  const discovered = await discover(contents.charts, input, ports, options);
  report({ type: "phase", phase: "discover", state: "done", detail: String(discovered.images.length) });
  const unreadable = [...(input.unreadable ?? []), ...discovered.unreadable];
  report({ type: "phase", phase: "resolve", state: "started" });
  const resolved = await resolveAll(input.spec, contents.charts, { ...discovered, unreadable }, ports, {
    ...options,
    refusedNames: async (items) => {
      const found = await rehearseNames(rehearsedBundle(input, contents, items), ports.rehearsal, signal);
      const errors = found.filter((each) => each.severity === "error" && !isOneOf(unreadable, each));
      reportFindings(errors, report);
      return errors;
    },
  });
  report({ type: "phase", phase: "resolve", state: "done", detail: String(resolved.length) });
  return resolved;
}

function deltaOf({ since, only }: BuildInput, blobs: readonly PlannedBlob[]): PackInput["delta"] {
  const digests = blobs.map(({ descriptor }) => descriptor.digest);
  if (only !== undefined) return patchFor(only, digests);
  return since === undefined ? undefined : deltaSince(since, digests);
}

/** Charts, CRDs, maps and manifests as entries that `tar x` gives to anyone. */
function carried(input: BuildInput, charts: readonly LoadedChart[]): readonly SmallFile[] {
  const text = (name: string, body: string): SmallFile => ({ name, bytes: Buffer.from(body) });
  const release: ReleaseDocument = {
    charts: charts.map((chart) => ({
      name: chart.name,
      version: chart.version,
      file: chartEntry(chart),
      release: chart.spec.release ?? chart.name,
      namespace: chart.spec.namespace,
      valuesFiles: [...chart.valuesFiles],
      values: chart.values,
      relocation: relocationEntry(chart),
    })),
    crds: input.crds.map(({ name }) => name),
    manifests: input.manifests.map(({ name }) => name),
    ...(input.spec.plugins.mcpServer === undefined ? {} : { mcpServer: input.spec.plugins.mcpServer }),
  };
  return [
    ...charts.map((chart) => ({ name: chartEntry(chart), bytes: chart.archive })),
    ...input.crds,
    text(Entry.spec, input.specText),
    ...charts.map((chart) => text(relocationEntry(chart), chart.relocationText)),
    text(releaseEntry, canonicalJson(release as unknown as Json)),
    ...input.manifests,
  ];
}

const relocationEntry = (chart: LoadedChart): string => `manifests/relocation/${chart.name}.yaml`;

function describeFiles(files: readonly SmallFile[], tools: readonly LargeFile[]): Lock["files"] {
  const small = files.map(({ name, bytes }) => ({
    name,
    size: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
  const large = tools.map(({ name, size, sha256 }) => ({ name, size, sha256 }));
  return [...small, ...large].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function lockOf(
  input: BuildInput,
  charts: readonly LoadedChart[],
  resolved: readonly Resolved[],
  files: Lock["files"],
): Lock {
  const seconds = input.epoch ?? Math.max(0, ...charts.map(({ newest }) => newest));
  return {
    lockVersion: 1,
    name: input.spec.name,
    version: input.spec.version,
    platforms: input.spec.platforms,
    kubeVersion: input.spec.kubeVersion,
    created: new Date(seconds * 1000).toISOString(),
    items: resolved.map(({ item }) => item),
    files,
  };
}

/** Every digest once, in lock order: an item's manifests, then what they name. */
function plannedBlobs(resolved: readonly Resolved[]): readonly PlannedBlob[] {
  const planned = new Map<
    Digest,
    { descriptor: Descriptor; host: string; names: string[]; open: PlannedBlob["open"] }
  >();
  for (const { item, graph, content } of resolved) {
    const host = parseReference(item.reference).registry;
    for (const descriptor of [...graph.manifests.map((node) => node.descriptor), ...graph.blobs]) {
      const known = planned.get(descriptor.digest);
      if (known !== undefined) known.names.push(item.reference);
      else
        planned.set(descriptor.digest, {
          descriptor,
          host,
          names: [item.reference],
          open: (offset, signal) => content.fetch(descriptor, { offset, signal }),
        });
    }
  }
  return [...planned.values()];
}
