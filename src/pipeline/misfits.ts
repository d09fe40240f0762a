import { finding, type Finding } from "../model/finding.ts";
import {
  isValues,
  joinPath,
  leavesOf,
  mergeValues,
  valueAt,
  type ChartValues,
  type Values,
  type ValuesPath,
} from "../model/values.ts";
import { nearest } from "../std/nearest.ts";
import { loadTypedLoosely } from "../std/yaml.ts";
import type { LoadedChart } from "./build-ports.ts";

/** A relocation map for another chart or version, and values that no template of this one reads. */
export function misfits(chart: LoadedChart): readonly Finding[] {
  const { name, version, relocation, valuesFiles, values, read } = chart;
  const here = `${name} ${version}`;
  const map = `${relocation.chart} ${relocation.version}`;
  const all = mergeValues(...valuesFiles.map(valuesIn), values);
  return [
    ...(map === here ? [] : [finding("warning", "relocation.other-chart", { chart: here, map })]),
    ...unreadPaths(all, read).map((path) =>
      finding("warning", "chart.value-unread", { chart: here, path: joinPath(path), near: nearTo(path, read) }),
    ),
  ];
}

/** The map of a values file; what is no map has no values in it. */
export function valuesIn(text: string): Values {
  const [document] = loadTypedLoosely(text);
  return isValues(document) ? document : {};
}

/** Helm takes any key; one that is written wrong does nothing, and nobody says so. */
function unreadPaths(values: Values, { defaults, read }: ChartValues): readonly ValuesPath[] {
  const known = (path: ValuesPath): boolean =>
    read.some((each) => isPrefix(each, path) || isPrefix(path, each)) || inDefaults(defaults, path);
  return leavesOf(values)
    .map(({ path }) => path)
    .filter((path) => !known(path));
}

function isPrefix(start: ValuesPath, path: ValuesPath): boolean {
  return start.length <= path.length && start.every((key, at) => key === path[at]);
}

/** What values.yaml has is meant to be there, and below an empty map or a list anything may be. */
function inDefaults(defaults: Values, path: ValuesPath): boolean {
  return path.some((_, at) => {
    const value = valueAt(defaults, path.slice(0, at + 1));
    if (value === undefined) return false;
    return at === path.length - 1 || !isValues(value) || Object.keys(value).length === 0;
  });
}

function nearTo(path: ValuesPath, { defaults, read }: ChartValues): string {
  const known = new Set([...leavesOf(defaults).map((leaf) => leaf.path), ...read].map(joinPath));
  return nearest(joinPath(path), known) ?? "-";
}
