import type { ChangeEvidence, InstallEvidence } from "../../model/evidence.ts";
import { catalogueOf, type Language } from "../language.ts";
import { reportWords } from "../messages/report-words.ts";
import { definitions, heading, paragraph } from "./parts.ts";
import { htmlTable, type Cell } from "./table.ts";

/** What an install changed on the cluster: what is ours, what helm was given to make, and what was there before. */
export function changedPart({ changed }: InstallEvidence, language: Language): string {
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
