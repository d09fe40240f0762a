import { finding, type Finding } from "../model/finding.ts";
import { joinPath, mergeValues, nest, splitPath, type ChartValues, type Values } from "../model/values.ts";
import { RelocationMap, type Setting } from "../model/relocation.ts";
import type { RelocationRules, SettingRule } from "../model/relocation-rules.ts";
import { inRange } from "../model/version-range.ts";
import { learnRelocation, type Learned } from "../stages/learn/learn.ts";
import { Trials, type Render } from "../stages/learn/trials.ts";

export interface LearnMapInput {
  readonly name: string;
  readonly version: string;
  readonly values: ChartValues;
  /** The user's, all layers merged. */
  readonly userValues: Values;
  /** Under which the chart is rendered here. */
  readonly release: string;
  readonly rules: readonly RelocationRules[];
}

export interface LearnedMap {
  readonly map: RelocationMap;
  readonly findings: readonly Finding[];
  readonly renders: number;
  readonly references: Learned["references"];
}

/**
 * A relocation map for a chart that nobody wrote one for: what rendering shows, and what the rules for this release add.
 * @returns undefined when the chart does not render at all
 */
export async function learnMap(input: LearnMapInput, render: Render): Promise<LearnedMap | undefined> {
  const learned = await learnRelocation(
    // Under its own name most people install a chart.
    { chart: input.values, values: input.userValues, release: input.release, otherRelease: input.name },
    render,
  );
  if (learned === undefined) return undefined;
  const { name, version } = input;
  const rules = input.rules.filter(({ chart }) => chart === name);
  const settings = await holding(
    rules.flatMap((each) => each.settings),
    input,
    render,
  );
  const part = (wanted: SettingRule["part"]): Setting[] =>
    settings.kept.filter((rule) => rule.part === wanted).map(({ path, value }) => ({ path, value }));
  const trust = rules.flatMap((each) => each.trust).filter(({ versions }) => inRange(version, versions));
  const console = rules.flatMap((each) => each.console).find(({ versions }) => inRange(version, versions));
  const map = RelocationMap.parse({
    apiVersion: "higress-airgap/v1",
    kind: "RelocationMap",
    chart: name,
    version,
    images: learned.images,
    pullSecrets: [...learned.pullSecrets, ...part("pullSecrets")],
    offline: part("offline"),
    plugins: { oci: part("oci"), http: part("http") },
    trust: trust.map(({ workload }) => workload),
    ...(console === undefined ? {} : { console: console.workload }),
    patches: learned.patches,
    features: learned.features.map(({ switches, references }) => ({ switches: switches.map(joinPath), references })),
  });
  return {
    map,
    findings: [...settings.findings, ...featureFindings(map), ...patchFindings(map)],
    renders: learned.renders + settings.renders,
    references: learned.references,
  };
}

/** The rules of this release that the chart reads and renders with; every other one is told, never dropped in silence. */
async function holding(
  rules: readonly SettingRule[],
  { name, version, values }: LearnMapInput,
  render: Render,
): Promise<{ kept: readonly SettingRule[]; findings: readonly Finding[]; renders: number }> {
  const ranged = rules.filter(({ versions }) => inRange(version, versions));
  const read = ranged.filter(({ path }) => isRead(path, values));
  const trials = new Trials(render);
  const kept = await trials.accepted(read, (some) =>
    mergeValues(...some.map(({ path, value }) => nest(splitPath(path), value))),
  );
  const about = ({ path, source }: SettingRule): { chart: string; path: string; source: string } => ({
    chart: `${name} ${version}`,
    path,
    source,
  });
  return {
    kept,
    findings: [
      ...ranged
        .filter((rule) => !read.includes(rule))
        .map((rule) => finding("warning", "relocation.rule-unread", about(rule))),
      ...read
        .filter((rule) => !kept.includes(rule))
        .map((rule) => finding("warning", "relocation.rule-breaks", about(rule))),
    ],
    renders: trials.count,
  };
}

/** A template that reads `podEnvs` reads everything below it. */
function isRead(path: string, { read }: ChartValues): boolean {
  const wanted = splitPath(path);
  return read.some((known) => known.length <= wanted.length && known.every((key, at) => key === wanted[at]));
}

function featureFindings({ features, chart, version }: RelocationMap): readonly Finding[] {
  return features.map(({ switches, references }) =>
    finding("note", "chart.feature", {
      chart: `${chart} ${version}`,
      switches: switches.join(" + "),
      references: references.join(" "),
    }),
  );
}

function patchFindings({ patches, chart, version }: RelocationMap): readonly Finding[] {
  return patches.map(({ kind, name, path, from }) =>
    finding("note", "relocation.patched", {
      chart: `${chart} ${version}`,
      where: `${kind}/${name}`,
      path,
      value: from,
    }),
  );
}
