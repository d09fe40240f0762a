import { basename } from "node:path";
import type { KubeObject } from "../../model/kubernetes.ts";
import type { ValuesLayer } from "../../model/relocation.ts";
import type { Compared } from "../../pipeline/compare.ts";
import type { ManifestExport } from "../../pipeline/export.ts";
import { byNamespace, partsOf } from "../../pipeline/manifest-parts.ts";
import type { ProofResult } from "../../pipeline/prove.ts";
import { canonicalJson, type Json } from "../../std/canonical-json.ts";
import { Failure } from "../../model/failure.ts";
import { isNamespace } from "../../model/names.ts";
import { printTyped } from "../../std/yaml.ts";
import { fill } from "../../ui/fill.ts";
import { exportReadme, type ExportedRelease } from "../../ui/export.ts";
import type { Language } from "../../ui/language.ts";
import { exportWords } from "../../ui/messages/export-words.ts";
import { visible } from "../../ui/width.ts";
import type { NewFile } from "./new-files.ts";
import type { SiteSession } from "./site-session.ts";

/** Values and rendered Secrets are in them. */
const mode = 0o600;

/** One folder, one file a phase, the proof, and a README with the order: for another team, or for GitOps. */
export function exportFiles(
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
      manifests: [...byNamespace(partsOf(manifest), chart.namespace)].flatMap(([namespace, text]) => {
        // It becomes a file name, and no API server would take it.
        if (!isNamespace(namespace))
          throw new Failure("CHART_UNUSABLE", {
            chart: basename(chart.file),
            why: `metadata.namespace ${JSON.stringify(namespace.slice(0, 100))}`,
          });
        const elsewhere = namespace === chart.namespace ? "" : `-in-${namespace}`;
        const file = add(`4-release-${chart.name}${elsewhere}.yaml`, text);
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
  const proved = { ...proof, prefix: plan.prefix, carried: plan.carried.size };
  return [
    ...files,
    { name: "proof.json", text: canonicalJson(proved as unknown as Json) },
    { name: "README.md", text: readme },
  ];
}

/** All of it as one stream, in the order in which it is applied. */
export function exportStream(exported: ManifestExport): string {
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

export function printCompared(phases: readonly Compared[], language: Language): string {
  const say = exportWords[language];
  return phases.map((phase) => `${linesOf(phase, say).map(visible).join("\n")}\n`).join("");
}

function linesOf(
  { phase, diff, created, removed, secrets, hooks }: Compared,
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
  if (diff === undefined)
    return created.length + removed.length > 0 ? lines : [`# ${phase}: ${say.unchanged}`, ...lines];
  return [`# ${phase}`, ...lines, ...diff.trimEnd().split("\n")];
}

function saysSomething(layer: ValuesLayer): boolean {
  return typeof layer === "string" || Object.keys(layer).length > 0;
}

function yaml(objects: readonly KubeObject[]): string {
  return objects.map((object) => printTyped(object)).join("---\n");
}
