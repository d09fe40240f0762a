import { reportFindings } from "../../model/event.ts";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { openHelm } from "../../edge/process/helm.ts";
import { Failure } from "../../model/failure.ts";
import { finding, hasErrors, type Finding } from "../../model/finding.ts";
import { isNamespace } from "../../model/names.ts";
import type { KubeObject } from "../../model/kubernetes.ts";
import type { ValuesLayer } from "../../model/relocation.ts";
import { compare, type Compared, type CompareOptions } from "../../pipeline/compare.ts";
import { asInstalled, exportManifests, type ManifestExport } from "../../pipeline/export.ts";
import type { HelmPort } from "../../model/helm.ts";
import { byNamespace, partsOf, printParts } from "../../pipeline/manifest-parts.ts";
import { proveAll, renderAll, type ProofResult } from "../../pipeline/prove.ts";
import { canonicalJson, type Json } from "../../std/canonical-json.ts";
import { printTyped } from "../../std/yaml.ts";
import { objectDiff } from "../../ui/object-diff.ts";
import { exportReadme, type ExportedRelease } from "../../ui/export.ts";
import { fill } from "../../ui/fill.ts";
import type { Language } from "../../ui/language.ts";
import { exportWords } from "../../ui/messages/export-words.ts";
import { visible } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { startedAs } from "../started-as.ts";
import { text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { chartCrds, chartValues, readCa, readUserPlugins, withFile } from "../wire/install-ports.ts";
import { planOfInstall } from "../wire/adoption.ts";
import { gitopsExport, gitopsTarget } from "../wire/gitops.ts";
import { openTools, type ClusterTools, findSiteTool } from "../wire/tools.ts";
import { writeNewFiles, type NewFile } from "../wire/new-files.ts";
import { openSiteBundle, type SiteSession } from "../wire/site-session.ts";

/**
 * Everything that an install would apply, for people who hand manifests to another team: as files, as a stream, or as
 * the difference to a cluster. Only the last one needs a cluster.
 */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const target = gitopsTarget(flags);
  await using opened = await openSiteBundle(flags, context);
  const session = { ...opened, plan: await planOfInstall(flags, opened, context) };
  const { site } = session;
  await using helm = await openHelm(await findSiteTool("helm", flags, site, context), {
    env: context.env,
    self: startedAs(),
  });
  const wanted = truth(flags, "diff") ? 2 : 1;
  const begin = (name: string, done: number): void =>
    context.reporter.report({ type: "step", phase: "render", name, done, items: wanted });
  begin("helm template", 0);
  const rendered = await renderedBy(helm, session, context, session.bundle.document.kubeVersion);
  const own = { ca: await readCa(site), userPlugins: await readUserPlugins(site) };
  const proof = proveAll(rendered, session.plan, site, own);
  reportFindings([...rendered.flatMap(({ misfits }) => misfits), ...proof.findings], context.reporter.report);
  const { images, strings, findings } = proof;
  const facts = { images, strings, outside: findings.length, prefix: session.plan.prefix };
  context.reporter.report({ type: "note", text: "proved", facts });
  const exported = await exportManifests(session, { rendered, proof }, own);
  const out = text(flags, "out");
  if (out !== undefined) {
    const folder = resolve(context.cwd, out);
    const files = [
      ...(target === undefined
        ? exportFiles(exported, proof, session, context.language)
        : gitopsExport(target, exported, proof, session, context.language)),
      proofFile(proof, session),
    ];
    await writeNewFiles(folder, files, { overwrite: true, context });
    reportFindings(await leftovers(folder, files), context.reporter.report);
  }
  if (truth(flags, "diff")) begin("helm upgrade --dry-run, kubectl diff", 1);
  if (truth(flags, "diff")) context.stdout.write(await difference(flags, exported, session, context));
  else if (out === undefined) context.stdout.write(exportStream(exported));
  return hasErrors(proof.findings) ? ExitCode.findings : ExitCode.done;
}

function renderedBy(helm: HelmPort, { plan, bundle }: SiteSession, { signal }: Context, offline?: string) {
  const ports = { helm, withFile, chartCrds, chartValues };
  return renderAll(plan, bundle, ports, { signal, ...(offline === undefined ? {} : { offline }) });
}

/** Of a release that is there, the very dry run of its upgrade is compared: it sees what `lookup` finds in the cluster. */
async function difference(
  flags: Flags,
  exported: ManifestExport,
  session: SiteSession,
  context: Context,
): Promise<string> {
  await using tools = await openTools(flags, session.site, context);
  const installed = await installedReleases(session, tools, context);
  const all = session.plan.charts.every(({ release }) => installed.has(release));
  const releases = all ? (await renderedBy(tools.helm, session, context)).map(asInstalled) : exported.releases;
  const { signal } = context;
  const compared = await compare(
    { ...exported, releases },
    { cluster: tools.kubectl, helm: tools.helm, installed, signal },
  );
  return printCompared(compared, context.language);
}

async function installedReleases(
  { plan }: SiteSession,
  { helm }: ClusterTools,
  { signal }: Context,
): Promise<CompareOptions["installed"]> {
  const found = new Map<string, { readonly isServerSide: boolean }>();
  for (const { release, namespace } of plan.charts) {
    const about = await helm.metadata(release, namespace, { signal });
    if (about !== undefined) found.set(release, about);
  }
  return found;
}

/**
 * Files of an earlier render, or somebody's own, that whoever applies the folder takes along: kubectl, Argo CD and Flux
 * read `.yaml`, `.yml` and `.json`. Of subfolders those are looked into that a render writes.
 */
async function leftovers(folder: string, written: readonly NewFile[]): Promise<readonly Finding[]> {
  const own = new Set(written.map(({ name }) => name));
  const found = await readdir(folder, { withFileTypes: true });
  const phases = found.filter((each) => each.isDirectory() && /^\d-/.test(each.name));
  const inside = await Promise.all(
    phases.map(async ({ name }) => (await readdir(join(folder, name))).map((file) => `${name}/${file}`)),
  );
  return [...found.filter((each) => each.isFile()).map(({ name }) => name), ...inside.flat()]
    .filter((name) => /\.(?:ya?ml|json)$/.test(name) && !own.has(name))
    .sort()
    .map((name) => finding("warning", "render.leftover", { path: join(folder, name) }));
}

/** Values and rendered Secrets are in them. */
const mode = 0o600;

/** One folder, one file a phase, the proof, and a README with the order: for another team, or for GitOps. */
function exportFiles(
  exported: ManifestExport,
  proof: ProofResult,
  { site, bundle, plan }: SiteSession,
  language: Language,
): readonly NewFile[] {
  const files: NewFile[] = [];
  const add = (name: string, text: string): string | undefined => {
    if (text === "") return undefined;
    files.push({ name, text, mode });
    return name;
  };
  const { name, version } = bundle.document;
  const named = {
    namespaceFile: add("1-namespace.yaml", yaml(exported.namespace)) ?? "",
    before: add("2-before.yaml", yaml(exported.before)),
    crds: add("3-crds.yaml", exported.crds.join("\n---\n")),
    releases: exported.releases.map(({ chart, manifest }): ExportedRelease => ({
      release: chart.release,
      namespace: chart.namespace,
      chart: basename(chart.file),
      values: chart.values.filter(saysSomething).flatMap((layer, at) => {
        const [text, end] = typeof layer === "string" ? [layer, "yaml"] : [canonicalJson(layer as Json), "json"];
        return add(`4-values-${chart.name}-${at + 1}.${end}`, text) ?? [];
      }),
      manifests: [...byNamespace(partsOf(manifest), chart.namespace)].flatMap(([namespace, parts]) => {
        // A namespace becomes a file name, and any other name no API server would take.
        if (!isNamespace(namespace))
          throw new Failure("CHART_UNUSABLE", {
            chart: basename(chart.file),
            why: `metadata.namespace ${JSON.stringify(namespace.slice(0, 100))}`,
          });
        const elsewhere = namespace === chart.namespace ? "" : `-in-${namespace}`;
        const file = add(`4-release-${chart.name}${elsewhere}.yaml`, printParts(parts));
        return file === undefined ? [] : [{ file, namespace }];
      }),
    })),
    overlay: add("5-overlay.yaml", yaml(exported.overlay)),
    plugins: add("6-plugins.yaml", yaml(exported.plugins)),
  };
  const { images, strings, findings } = proof;
  const readme = exportReadme(
    {
      ...named,
      bundle: `${name} ${version}`,
      prefix: plan.prefix,
      namespace: site.cluster.namespace,
      pullSecret: exported.pullSecret,
      proof: { images, strings, findings: findings.length },
    },
    language,
  );
  return [...files, { name: "README.md", text: readme }];
}

function proofFile(proof: ProofResult, { plan }: Pick<SiteSession, "plan">): NewFile {
  const proved = { ...proof, prefix: plan.prefix, carried: plan.carried.size };
  return { name: "proof.json", text: canonicalJson(proved as unknown as Json) };
}

/** The whole export as one stream, in the order in which it is applied. */
function exportStream(exported: ManifestExport): string {
  const parts = [
    yaml(exported.namespace),
    yaml(exported.before),
    ...exported.crds,
    ...exported.releases.map(({ manifest }) => manifest),
    yaml(exported.overlay),
    yaml(exported.plugins),
  ];
  return `${parts
    .filter((part) => part !== "")
    .map((part) => part.replace(/^---\n/, "").trimEnd())
    .join("\n---\n")}\n`;
}

function printCompared(phases: readonly Compared[], language: Language): string {
  const say = exportWords[language];
  return phases.map((phase) => `${linesOf(phase, say).map(visible).join("\n")}\n`).join("");
}

function linesOf(
  { phase, changes, created, removed, secrets, hooks }: Compared,
  say: (typeof exportWords)[Language],
): string[] {
  const listed = (template: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : [`# ${phase}: ${fill(template, { names: names.join(", ") })}`];
  const lines = [
    ...listed(say.created, created),
    ...listed(say.removed, removed),
    ...listed(say.notCompared, secrets),
    ...listed(say.hooks, hooks),
  ];
  const diffs = changes.flatMap((change) => objectDiff(change) ?? []);
  if (diffs.length === 0 && created.length + removed.length === 0) return [`# ${phase}: ${say.unchanged}`, ...lines];
  if (diffs.length === 0) return lines;
  return [`# ${phase}`, ...lines, ...diffs.join("").trimEnd().split("\n")];
}

function saysSomething(layer: ValuesLayer): boolean {
  return typeof layer === "string" || Object.keys(layer).length > 0;
}

function yaml(objects: readonly KubeObject[]): string {
  return objects.map((object) => printTyped(object)).join("---\n");
}
