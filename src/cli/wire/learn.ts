import { readAsset } from "../../edge/files/assets.ts";
import { readChartValues } from "../../edge/charts/values.ts";
import { unrendered } from "../../edge/charts/unrendered.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { temporaryFile } from "../../edge/files/temporary.ts";
import type { Helm } from "../../edge/process/helm.ts";
import { reportFindings } from "../../model/event.ts";
import { isFailure } from "../../model/failure.ts";
import type { RelocationMap } from "../../model/relocation.ts";
import { RelocationRules } from "../../model/relocation-rules.ts";
import { mergeValues, type Values } from "../../model/values.ts";
import { learnMap, type LearnedMap } from "../../pipeline/learned-map.ts";
import { valuesIn } from "../../pipeline/misfits.ts";
import { printTyped } from "../../std/yaml.ts";
import type { Context } from "../context.ts";

export interface ChartToLearn {
  readonly archive: Uint8Array;
  readonly name: string;
  readonly version: string;
  readonly namespace: string;
  readonly kubeVersion: string;
  readonly valuesFiles: readonly string[];
  readonly values: Values;
}

/** A name that no chart's own objects have, so that where it shows the release's name is meant. */
const marker = "airgap-learn";
const rulesFile = "manifests/higress/rules.yaml";

/** @throws Failure CHART_VALUE_WANTED, CHART_INCOMPLETE, CHART_UNUSABLE when the chart does not render as the user has it */
export async function learnChart(
  chart: ChartToLearn,
  helm: Pick<Helm, "template">,
  signal: AbortSignal | undefined,
): Promise<LearnedMap> {
  const { name, version, namespace, kubeVersion, valuesFiles, values } = chart;
  await using file = await temporaryFile(`${name}-${version}.tgz`, chart.archive);
  let refused: unknown;
  const render = async (layer: Values, release = marker): Promise<string | undefined> => {
    const source = { chart: file.path, release, namespace, kubeVersion, values: [...valuesFiles, values, layer] };
    try {
      return await helm.template(source, { includeCrds: false, anyCluster: true, signal });
    } catch (error) {
      if (!isFailure(error, "HELM_FAILED")) throw error;
      refused ??= error;
      return undefined;
    }
  };
  const learned = await learnMap(
    {
      name,
      version,
      values: await readChartValues(chart.archive, `${name}-${version}`),
      userValues: mergeValues(...valuesFiles.map(valuesIn), values),
      release: marker,
      rules: [parseConfig(await readAsset(rulesFile), rulesFile, RelocationRules)],
    },
    render,
  );
  if (learned === undefined) throw await unrendered(refused, chart.archive);
  return learned;
}

/** The map of a chart; what was found on the way, and how much of it moves, is told. @throws as `learnChart` */
export async function learnAndTell(
  chart: ChartToLearn,
  helm: Pick<Helm, "template">,
  { reporter: { report }, signal }: Context,
): Promise<RelocationMap> {
  const { map, findings, references, renders } = await learnChart(chart, helm, signal);
  reportFindings(findings, report);
  const { found, moved, patched } = references;
  report({ type: "note", text: "learned", facts: { found, moved, patched, renders } });
  return map;
}

/** The map as a file that people can read and change. */
export function mapText(map: RelocationMap): string {
  const { features, patches, exceptions, trust, ...rest } = map;
  const lists = Object.entries({ patches, exceptions, trust, features }).filter(([, list]) => list.length > 0);
  return [
    `# Which values of the chart ${map.chart} ${map.version} move which reference, learned by rendering it with helm.`,
    "# Made by: higress-airgap relocation learn. Change it where you know better, and name it in the spec: relocation: FILE",
    printTyped({ ...rest, ...Object.fromEntries(lists) }),
  ].join("\n");
}
