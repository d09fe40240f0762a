import type { InstallEvidence, PhaseEvidence, ChangeEvidence } from "../../model/evidence.ts";
import { printBytes } from "../../std/bytes.ts";
import { describeEvidence } from "../evidence.ts";
import { fill } from "../fill.ts";
import { catalogueOf, type Language } from "../language.ts";
import { reportWords } from "../messages/report-words.ts";
import { printSeconds } from "../progress.ts";
import { escapeHtml, page, definitions, heading, paragraph, htmlTable, type Cell } from "./page.ts";

/** While the install runs, its page is written again at each step. */
const secondsToReload = 5;

/** What one install did, on one page: for the operator's manager, the auditor, and whoever has to undo it next year. */
export function installPage(evidence: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  const { bundle } = evidence;
  const title = fill(say.title, { bundle: bundle === undefined ? "?" : `${bundle.name} ${bundle.version}` });
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="outcome ${evidence.outcome}">${escapeHtml(fill(say.outcome[evidence.outcome], evidence))}</p>`,
    failurePart(evidence, language),
    summary(evidence, language),
    findingsPart(evidence, language),
    verifiedPart(evidence, language),
    pushedPart(evidence, language),
    changedPart(evidence, language),
    provedPart(evidence, language),
    timePart(evidence, language),
    undoPart(evidence, language),
  ];
  const reloads = evidence.outcome === "running" ? secondsToReload : undefined;
  return page({ title, body: body.filter((part) => part !== "").join("\n"), reloads }, language);
}

function failurePart(evidence: InstallEvidence, language: Language): string {
  const { failure } = describeEvidence(evidence, language);
  if (failure === undefined) return "";
  const { side, message, code, hint } = failure;
  const { words, punctuation } = catalogueOf(language);
  const next = hint === "" ? "" : paragraph(`${words.hint}${punctuation.colon}${hint}`);
  return `<p class="outcome failed">${escapeHtml(`${side}${punctuation.colon}${message} [${code}]`)}</p>\n${next}`;
}

function summary({ target, started, seconds, tool }: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  const { words } = catalogueOf(language);
  return definitions([
    ...(target === undefined
      ? []
      : ([
          [say.registry, `${target.registry}/${target.project}`],
          [say.cluster, `${target.namespace}/${target.release}${target.cluster && ` (${target.cluster})`}`],
        ] as const)),
    [say.started, started],
    [say.took, printSeconds(seconds)],
    [words.tool, `${tool.name} ${tool.version}`],
  ]);
}

function findingsPart(evidence: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  const { words } = catalogueOf(language);
  const { findings } = describeEvidence(evidence, language);
  if (findings.length === 0) return `${heading(say.findings)}${paragraph(words["no-findings"])}`;
  const rows = findings.map((found): readonly Cell[] => [
    { text: found.severityText, class: "kind", mark: found.severity },
    { text: found.message, class: "name" },
    { text: found.remedy, class: "name" },
    { text: found.code, class: "mono" },
  ]);
  return `${heading(say.findings)}${htmlTable([say.severity, words.finding, say.remedy, ""], rows)}`;
}

function verifiedPart({ bundle, verified }: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  const { words, punctuation } = catalogueOf(language);
  const { comma } = punctuation;
  const head = heading(say.verified);
  if (bundle === undefined) return `${head}${paragraph(say.notVerified)}`;
  const { signature, delta } = bundle;
  const key = signature.verifiedWith;
  const signed = !signature.present
    ? say.unsigned
    : key === undefined
      ? say.signedUnchecked
      : fill(say.signed, { key });
  const counts = [`${bundle.items} ${words.items}`, `${bundle.blobs} ${words.blobs}`];
  const hashed =
    verified === undefined
      ? say.notVerified
      : fill(verified.damaged === 0 ? say.hashed : say.damaged, { ...verified, size: printBytes(verified.bytes) });
  const facts: readonly (readonly [string, string])[] = [
    [words.bundle, `${bundle.name} ${bundle.version}`],
    [say.file, bundle.path],
    [words.size, [printBytes(bundle.size), ...counts].join(comma)],
    [words.platforms, bundle.platforms.join(" ")],
    [words.created, `${bundle.created} (${bundle.builtBy})`],
    ["sha256(bundle.json)", bundle.id],
    ["sha256(index.json)", bundle.index],
    [say.signature, signed],
    ...(delta === undefined
      ? []
      : [[words["delta-on"], [delta.base, `${delta.absentBlobs} ${words.blobs}`].join(comma)] as const]),
    [words.verified, hashed],
  ];
  return `${head}${definitions(facts)}`;
}

function pushedPart({ pushed }: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  const { words } = catalogueOf(language);
  if (pushed === undefined) return `${heading(say.pushed)}${paragraph(say.notPushed)}`;
  const { uploaded, mounted, present } = pushed;
  const bytes = { uploaded: printBytes(uploaded), mounted: printBytes(mounted), present: printBytes(present) };
  const rows = pushed.tags.map(({ reference, digest }): readonly Cell[] => [
    { text: reference, class: "name" },
    { text: digest.slice(0, 19), class: "mono", title: digest },
  ]);
  const table = rows.length === 0 ? "" : htmlTable([words.reference, words.digest], rows);
  return `${heading(say.pushed)}${paragraph(fill(pushed.ended ? say.sent : say.sentUntil, bytes))}${table}`;
}

function provedPart({ proved, target }: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  if (proved === undefined || target === undefined) return `${heading(say.proved)}${paragraph(say.notProved)}`;
  const prefix = `${target.registry}/${target.project}`;
  return `${heading(say.proved)}${paragraph(fill(say.proof, { ...proved, prefix }))}`;
}

function timePart({ phases }: InstallEvidence, language: Language): string {
  if (phases.length === 0) return "";
  const say = reportWords[language];
  const names: Readonly<Record<string, string>> = catalogueOf(language).phases;
  const row = ({ phase, state, at, seconds }: PhaseEvidence): readonly Cell[] => [
    { text: names[phase] ?? phase },
    { text: say.state[state], mark: state === "failed" ? "error" : undefined },
    { text: at, class: "mono" },
    seconds === undefined ? { text: "" } : { text: seconds.toFixed(1), class: "number", value: seconds },
  ];
  return `${heading(say.time)}${htmlTable([say.phase, "", say.started, say.seconds], phases.map(row))}`;
}

function undoPart({ undo }: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  if (undo.length === 0) return `${heading(say.undo)}${paragraph(say.nothingToUndo)}`;
  const ways = undo.map(
    ({ does, command, to = "" }) => `${paragraph(fill(say.undoes[does], { to }))}<pre>${escapeHtml(command)}</pre>`,
  );
  return `${heading(say.undo)}${ways.join("\n")}\n${paragraph(say.stays)}`;
}

/** What an install changed on the cluster: what is ours, what helm was given to make, and what was there before. */
function changedPart({ changed }: InstallEvidence, language: Language): string {
  const say = reportWords[language];
  const rows = changed === undefined ? [] : rowsOf(changed, language);
  if (changed === undefined || rows.length === 0) return `${heading(say.changed)}${paragraph(say.notChanged)}`;
  const { helm, receipt } = changed;
  const facts = definitions([
    [say.receipt, `#${receipt}`],
    ...(helm === undefined ? [] : [[say.revision, `${helm.previousRevision} → ${helm.revision}`] as const]),
  ]);
  const { words } = catalogueOf(language);
  return `${heading(say.changed)}${facts}${htmlTable([words.kind, say.object, words.changed, ""], rows)}`;
}

function rowsOf(
  { objects, crds, release, leftovers, plugins, helm }: ChangeEvidence,
  language: Language,
): readonly (readonly Cell[])[] {
  const say = reportWords[language];
  const { words } = catalogueOf(language);
  return [
    ...plugins.map(({ namespace, name, url, state, before }): readonly Cell[] => [
      { text: say.plugin, class: "kind", mark: "plugin" },
      { text: `${namespace}/${name}`, class: "name" },
      { text: say.state[state] },
      { text: before === undefined || before === url ? url : `${before} → ${url}`, class: "name" },
    ]),
    ...leftovers.map(({ namespace, name, did, url }): readonly Cell[] => [
      { text: say.leftover, class: "kind", mark: "changed" },
      { text: `${namespace}/${name}`, class: "name" },
      { text: say.did[did] },
      { text: url, class: "name" },
    ]),
    ...[...objects, ...crds].map(({ resource, namespace, name, did }): readonly Cell[] => [
      { text: say.object, class: "kind", mark: did === "created" ? "added" : "changed" },
      { text: `${resource} ${namespace === undefined ? "" : `${namespace}/`}${name}`, class: "name" },
      { text: say.did[did] },
      { text: "" },
    ]),
    // Rendered is not made: before helm has a revision, nothing of it is there.
    ...(helm === undefined ? [] : release).map((name): readonly Cell[] => [
      { text: say.byHelm, class: "kind", mark: "chart" },
      { text: name, class: "name" },
      { text: words.done },
      { text: "helm" },
    ]),
  ];
}
