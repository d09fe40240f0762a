import { join, resolve } from "node:path";
import { readChart } from "../../edge/charts/read.ts";
import { storedChart } from "../../edge/charts/stored-chart.ts";
import { readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { readBytes } from "../../edge/files/read-text.ts";
import type { ClusterSnapshot } from "../../model/cluster-snapshot.ts";
import { Failure, unlessForbidden } from "../../model/failure.ts";
import type { ClusterPort, KubeObject } from "../../model/kubernetes.ts";
import { plainName } from "../../model/names.ts";
import { parseReference } from "../../model/reference.ts";
import { Site } from "../../model/site.ts";
import { BundleSpec } from "../../model/spec.ts";
import { shellWord } from "../../std/shell-word.ts";
import { siteFile, specFile } from "../../ui/files.ts";
import type { Language } from "../../ui/language.ts";
import { snapshotWords, type SnapshotFile } from "../../ui/messages/snapshot-words.ts";
import { snapshotReadme } from "../../ui/snapshot.ts";
import { readShippedRelease, toolsFor } from "../commands/init.ts";
import type { Context } from "../context.ts";
import type { NewFile } from "./new-files.ts";

const registry = { host: "harbor.corp.example", project: "higress" };
/** Of the cluster that is read, only flags tell. */
export const placeholderSite = { apiVersion: "higress-airgap/v1", kind: "Site", registry } as const;

/** `published`: in the chart repository of Higress, by its version. */
type SnapshotChart =
  { readonly from: "published" } | { readonly from: "file"; readonly bytes: Uint8Array } | { readonly from: "unknown" };

/** What stands for the version of a chart of which nobody tells one. */
const unknownVersion = "0.0.0";

/** As Higress numbers its releases; a house that builds its own writes more behind. */
const publishedVersion = /^\d+\.\d+\.\d+(-(alpha|beta|rc)[.\d]*)?$/;

const maxChart = 32 * 1024 ** 2;

/**
 * Where the chart comes from: the file that was named, the repository that has it, or helm's own record of the release.
 * @throws Failure CHART_UNUSABLE where the file is of another chart
 */
export async function chartOfRelease(
  snapshot: ClusterSnapshot,
  named: string | undefined,
  cluster: Pick<ClusterPort, "get">,
  { cwd, signal }: Context,
): Promise<{ readonly chart: SnapshotChart; readonly snapshot: ClusterSnapshot }> {
  const { name, version, revision } = snapshot.chart;
  const what = `${name} ${version}`;
  if (named !== undefined) return givenChart(snapshot, named, resolve(cwd, named));
  if (/^higress(-core|-console)?$/.test(name) && version !== unknownVersion && publishedVersion.test(version))
    return { chart: { from: "published" }, snapshot };
  const ref = {
    resource: "secrets",
    name: `sh.helm.release.v1.${snapshot.release}.v${revision ?? 0}`,
    namespace: snapshot.namespace,
  };
  const kept = revision === undefined ? { answer: undefined } : await unlessForbidden(cluster.get(ref, signal));
  const bytes = "why" in kept || kept.answer === undefined ? undefined : await storedChart(kept.answer, what);
  if (bytes !== undefined) return { chart: { from: "file", bytes }, snapshot };
  const unread = "why" in kept ? [...snapshot.unread, { what: "chart", why: kept.why } as const] : snapshot.unread;
  const leftOut = [...snapshot.leftOut, { reason: "chart-unknown", where: archiveOf(snapshot) } as const];
  return { chart: { from: "unknown" }, snapshot: { ...snapshot, leftOut, unread } };
}

async function givenChart(
  snapshot: ClusterSnapshot,
  named: string,
  path: string,
): Promise<{ readonly chart: SnapshotChart; readonly snapshot: ClusterSnapshot }> {
  const { chart } = snapshot;
  const bytes = await readBytes(path, maxChart);
  const { name, version } = await readChart(bytes, named);
  if (name !== chart.name || (version !== chart.version && chart.version !== unknownVersion))
    throw new Failure("CHART_UNUSABLE", {
      chart: `${chart.name} ${chart.version}`,
      why: `${named}: ${name} ${version}`,
    });
  return { chart: { from: "file", bytes }, snapshot: { ...snapshot, chart: { ...chart, version } } };
}

function archiveOf({ chart: { name, version } }: ClusterSnapshot): string {
  return `${plainName(name)}-${plainName(version)}.tgz`;
}

interface SnapshotFolder {
  readonly files: readonly NewFile[];
  readonly readme: string;
}

const schemas = { spec: "bundle.schema.json", site: "site.schema.json" } as const;

/** Everything that is written, the README last; what a spec or a site file may not be is refused here, before it is. */
export async function snapshotFolder(
  snapshot: ClusterSnapshot,
  chart: SnapshotChart,
  { out, language }: { readonly out: string; readonly language: Language },
): Promise<SnapshotFolder> {
  const { plugins, incompletePlugins, objects, namespace, release, hosts } = snapshot;
  const texts: readonly (readonly [SnapshotFile, string, string | Uint8Array | undefined])[] = [
    // JSON is YAML too, in which no printer decides what `yes` or 0644 means to helm and kubectl.
    ["values", "values.json", `${JSON.stringify(snapshot.values, undefined, 2)}\n`],
    ["chart", archiveOf(snapshot), chart.from === "file" ? chart.bytes : undefined],
    ["plugins", "wasmplugins.json", listOf(plugins)],
    ["incomplete", "wasmplugins-incomplete.json", listOf(incompletePlugins)],
    ["settings", "settings.json", listOf(snapshot.settings)],
    ["objects", "objects.json", listOf(objects)],
  ];
  const parts = texts.flatMap(([what, name, text]) => (text === undefined ? [] : [{ what, name, text }]));
  const written = (what: SnapshotFile): readonly string[] =>
    parts.filter((part) => part.what === what).map(({ name }) => name);
  const manifests = [...written("plugins"), ...written("incomplete")];
  const { document, relocation } = await specDocument(snapshot, chart, manifests);
  const spec = specFile({ file: "bundle.yaml", schema: schemas.spec, document }, language);
  const head = snapshotWords[language].insideHead;
  const site = siteFile(
    {
      ...registry,
      file: "site.yaml",
      schema: schemas.site,
      namespace,
      release,
      manifests: written("plugins"),
      inside: { head, hosts },
    },
    language,
  );
  parseConfig(spec, join(out, "bundle.yaml"), BundleSpec);
  parseConfig(site, join(out, "site.yaml"), Site);
  const names = {
    spec: "bundle.yaml",
    site: "site.yaml",
    ...Object.fromEntries(parts.map(({ what, name }) => [what, name])),
  };
  const readme = snapshotReadme(snapshot, { names, spec: shellWord(join(out, "bundle.yaml")) }, language);
  return {
    readme,
    files: [
      { name: "bundle.yaml", text: spec },
      { name: "site.yaml", text: site, beside: "site.new.yaml" },
      ...parts.map(({ name, text }) => ({ name, text })),
      ...(relocation === undefined ? [] : [relocation]),
      ...(await Promise.all(
        Object.values(schemas).map(async (name) => ({ name, text: await readAsset(`manifests/schema/${name}`) })),
      )),
      { name: "README.txt", text: readme },
    ],
  };
}

function listOf(items: readonly KubeObject[]): string | undefined {
  return items.length === 0
    ? undefined
    : `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 2)}\n`;
}

/** The spec of its version as `init` has it, with what runs in the place of what was published. */
async function specDocument(
  snapshot: ClusterSnapshot,
  chart: SnapshotChart,
  manifests: readonly string[],
): Promise<{ readonly document: Readonly<Record<string, unknown>>; readonly relocation: NewFile | undefined }> {
  const { name, version } = snapshot.chart;
  const { release, namespace, kubeVersion } = snapshot;
  const shipped = await readShippedRelease(version);
  const base = shipped.spec as {
    readonly platforms: readonly string[];
    readonly charts: readonly object[];
    readonly plugins: object;
  };
  const isPublished = chart.from === "published";
  const [known] = base.charts as readonly { readonly from: string; readonly mirrors: readonly string[] }[];
  const source = isPublished ? { from: known?.from, mirrors: known?.mirrors } : { from: `./${archiveOf(snapshot)}` };
  const map = isPublished && name === "higress" ? shipped.relocation : undefined;
  const relocation = map === undefined ? undefined : { name: `relocation-${version}.yaml`, text: map };
  const platforms = snapshot.platforms.length > 0 ? snapshot.platforms : base.platforms;
  const placed = relocation === undefined ? {} : { relocation: relocation.name };
  const document = {
    ...base,
    version,
    platforms,
    ...(kubeVersion === undefined ? {} : { kubeVersion }),
    charts: [{ name, version, ...source, release, namespace, valuesFiles: ["values.json"], ...placed }],
    images: snapshot.images.map(pinned),
    plugins: isPublished ? base.plugins : { ...base.plugins, list: [] },
    manifests: manifests.map((path) => ({ path })),
    tools: toolsFor(base, platforms),
  };
  return { document, relocation };
}

/** By the digest that runs, where all pods agree on it and the tag stays to be asked for. */
function pinned({ reference, digests }: ClusterSnapshot["images"][number]): string {
  const [digest, ...others] = digests;
  const { tag, digest: written } = parseReference(reference);
  if (digest === undefined || others.length > 0 || tag === undefined || written !== undefined) return reference;
  return `${reference}@${digest}`;
}
