import { readSmall } from "../content/verified.ts";
import { Entry } from "../model/bundle.ts";
import { isDigest } from "../model/digest.ts";
import { Failure, isFailure } from "../model/failure.ts";
import type { Lock, LockFile, LockItem } from "../model/lock.ts";
import { parsePlatform } from "../model/platform.ts";
import { parseReference } from "../model/reference.ts";
import type { ChartSpec } from "../model/spec.ts";
import type { Bundle } from "../content/open-bundle.ts";
import { resolveChart } from "../stages/resolve/chart.ts";
import { resolveImage } from "../stages/resolve/image.ts";
import { resolvePlugin } from "../stages/resolve/plugin.ts";
import type { Resolved, SourceRepository } from "../stages/resolve/ports.ts";
import type { BuildOptions, BuildPorts, LoadedChart } from "./build-ports.ts";
import { Resolving } from "./resolve-each.ts";

export function chartEntry({ name, version }: Pick<ChartSpec, "name" | "version">): string {
  return `charts/${name}-${version}.tgz`;
}

export function lockedArchive(chart: ChartSpec, lock: Lock | undefined): LockFile | undefined {
  const name = chartEntry(chart);
  return lock?.files.find((file) => file.name === name);
}

/**
 * Holds what would be carried against the lock, before any registry is asked.
 * @throws Failure CONTENT_MISMATCH naming the spec if it is another one, since all else follows from that
 */
export function refuseOtherFiles(lock: Lock, files: readonly LockFile[]): void {
  const wanted = new Map(lock.files.map(({ name, sha256 }) => [name, sha256]));
  const got = new Map(files.map(({ name, sha256 }) => [name, sha256]));
  const differing = [...new Set([Entry.spec, ...wanted.keys(), ...got.keys()])].find(
    (name) => wanted.get(name) !== got.get(name),
  );
  if (differing === undefined) return;
  const facts = { wanted: wanted.get(differing) ?? "-", got: got.get(differing) ?? "-" };
  throw new Failure("CONTENT_MISMATCH", { what: differing, ...facts });
}

/**
 * The lock's items again, each by the digest that its source has, and derived again where it was derived.
 * @throws Failure CONTENT_MISMATCH when that gives another digest: another version of this program, or another lock
 */
export async function resolveLocked(
  lock: Lock,
  charts: readonly LoadedChart[],
  ports: BuildPorts,
  options: BuildOptions,
): Promise<readonly Resolved[]> {
  const { report } = options;
  report({ type: "phase", phase: "resolve", state: "started" });
  const ofCharts = await Promise.all(charts.map((chart) => resolveChart(chart)));
  const again = async (item: LockItem, signal: AbortSignal): Promise<Resolved> => {
    const resolved = item.kind === "chart" ? sameChart(item, ofCharts) : await resolveAgain(item, ports, signal);
    const [wanted, got] = [item.root.digest, resolved.item.root.digest];
    if (wanted !== got) throw new Failure("CONTENT_MISMATCH", { what: item.reference, wanted, got });
    return { ...resolved, item };
  };
  const resolving = new Resolving(options);
  const resolved = await resolving.each(
    lock.items,
    ({ reference, role }) => ({ reference: parseReference(reference), role }),
    again,
  );
  resolving.stop();
  report({ type: "phase", phase: "resolve", state: "done", detail: String(resolved.length) });
  return resolved;
}

function sameChart({ reference }: LockItem, charts: readonly Resolved[]): Resolved {
  const found = charts.find(({ item }) => item.reference === reference);
  if (found === undefined) throw new Failure("CONTENT_MISSING", { what: reference, where: Entry.spec });
  return found;
}

async function resolveAgain(item: LockItem, ports: BuildPorts, signal: AbortSignal | undefined): Promise<Resolved> {
  const reference = parseReference(item.reference);
  const request = { reference, role: item.role, pinned: (item.derived?.from ?? item.root).digest };
  const source = await ports.repository(reference);
  // The lock names the platforms that were kept; one that the image lacks is not among them.
  const context = { platforms: item.platforms.flatMap((text) => parsePlatform(text) ?? []), signal };
  if (item.kind === "image") return resolveImage(request, source, context);
  return resolvePlugin({ ...request, name: item.name }, source, ports.examine, context);
}

/** A repository whose bytes come from earlier bundles where these have them; tags are still asked for where they live. */
export function reusing(source: SourceRepository, bundles: readonly Bundle[]): SourceRepository {
  return {
    fetch(descriptor, options) {
      const bundle = bundles.find((each) => each.hasBlob(descriptor.digest));
      return (bundle ?? source).fetch(descriptor, options);
    },
    async resolve(pointer, signal) {
      const bundle = bundles.find((each) => isDigest(pointer) && each.hasBlob(pointer));
      const descriptor = bundle?.document.blobs.find(({ digest }) => digest === pointer);
      if (bundle === undefined || descriptor === undefined) return source.resolve(pointer, signal);
      return { descriptor, bytes: await readSmall(bundle, descriptor, "bundle", signal) };
    },
  };
}

/** Wrong bytes that came out of an earlier bundle are that file's fault, not the registry's: says which. */
export function blameReused(error: unknown, bundles: readonly Bundle[]): unknown {
  if (!isFailure(error, "CONTENT_MISMATCH")) return error;
  const { what, wanted, got } = error.facts;
  const bundle = bundles.find((each) => isDigest(what) && each.hasBlob(what));
  if (bundle === undefined) return error;
  return new Failure(
    "CONTENT_MISMATCH",
    { what: `${what} (${bundle.source.name})`, wanted, got },
    { side: "bundle", cause: error },
  );
}
