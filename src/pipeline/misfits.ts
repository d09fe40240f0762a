import { finding, type Finding } from "../model/finding.ts";
import {
  isValues,
  joinPath,
  leavesOf,
  mergeValues,
  nest,
  valueAt,
  type ChartValues,
  type Values,
  type ValuesPath,
} from "../model/values.ts";
import { Failure, isFailure } from "../model/failure.ts";
import { needed } from "../std/needed.ts";
import type { PlannedChart } from "./install-plan.ts";
import { nearest } from "../std/nearest.ts";
import { loadTypedLoosely } from "../std/yaml.ts";
import type { RelocationMap, ValuesLayer } from "../model/relocation.ts";

interface ValuedChart {
  readonly name: string;
  readonly version: string;
  readonly relocation: RelocationMap;
  readonly valuesFiles: readonly string[];
  readonly values: Values;
  readonly read: ChartValues;
}

/** A relocation map for another chart or version, values that no template of this one reads, and values of another type. */
export function misfits(chart: ValuedChart): readonly Finding[] {
  const { name, version, relocation, valuesFiles, values, read } = chart;
  const here = `${name} ${version}`;
  const map = `${relocation.chart} ${relocation.version}`;
  return [
    ...(map === here ? [] : [finding("warning", "relocation.other-chart", { chart: here, map })]),
    ...valueMisfits(here, [...valuesFiles, values], read),
  ];
}

/** Values that no template of a chart reads, and those of another type than it has. */
export function valueMisfits(here: string, layers: readonly ValuesLayer[], read: ChartValues): readonly Finding[] {
  const mistyped = new Map(
    layers
      .flatMap((layer) =>
        mistypedIn(valuesIn(layer), read.defaults, typeof layer === "string" ? isTruthOfHelm : () => false),
      )
      .map((each) => [joinPath(each.path), each]),
  );
  return [
    ...unreadPaths(mergeValues(...layers.map(valuesIn)), read).map((path) =>
      finding("warning", "chart.value-unread", { chart: here, path: joinPath(path), near: nearTo(path, read) }),
    ),
    ...[...mistyped].map(([path, { value, standing }]) =>
      finding("warning", "chart.value-type", { chart: here, path, value: shapeOf(value), standing: shapeOf(standing) }),
    ),
  ];
}

/** The map of a layer; a file that is no map has no values in it. */
export function valuesIn(layer: ValuesLayer): Values {
  if (typeof layer !== "string") return layer;
  const [document] = loadTypedLoosely(layer);
  return isValues(document) ? document : {};
}

/**
 * What it means that helm refuses a chart, or the cluster what it renders, with the site's own values: which of them it is,
 * found by leaving out the others, half by half.
 * @returns the cause itself, where none of them is to blame
 */
export async function refusedValues(
  cause: unknown,
  { name, version, own, values }: PlannedChart,
  render: (values: readonly ValuesLayer[]) => Promise<unknown>,
): Promise<unknown> {
  if (!isRefusal(cause)) return cause;
  // What follows them is the relocation, or nothing where a chart is looked at without it.
  const end = values.lastIndexOf(own.at(-1)?.layer ?? {}) + 1;
  let said = "";
  const refuses = async (some: readonly OwnLeaf[]): Promise<boolean> => {
    const merged = mergeValues(...some.map(({ path, value }) => nest(path, value)));
    try {
      await render([...values.slice(0, end - own.length), merged, ...values.slice(end)]);
      return false;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      said = wordsOf(error);
      return true;
    }
  };
  let left = own.flatMap(({ from, layer }) => leavesOf(valuesIn(layer)).map((leaf) => ({ ...leaf, from })));
  if (left.length === 0 || (await refuses([]))) return cause;
  const blamed: { readonly leaf: string; readonly says: string }[] = [];
  while (await refuses(left)) {
    const together = await needed(left, refuses);
    await refuses(together);
    blamed.push({ leaf: together.map(({ path, from }) => `${joinPath(path)} (${from})`).join(" + "), says: said });
    left = left.filter((each) => !together.includes(each));
  }
  if (blamed.length === 0) return cause;
  const facts = {
    chart: `${name} ${version}`,
    values: blamed.map(({ leaf }) => leaf).join(", "),
    says: [...new Set(blamed.map(({ says }) => says))].join("; "),
  };
  return new Failure("SITE_VALUE_REFUSED", facts, { cause });
}

function wordsOf({ facts }: Failure<"HELM_FAILED" | "CHART_UNUSABLE" | "CHART_VALUE_WANTED">): string {
  const said = "output" in facts ? facts.output : "why" in facts ? facts.why : facts.says;
  // In our sentence it is no error line any more, and there is no helm to give the flag to.
  return said.replace(/^Error: /, "").replace(/ Use --debug flag to render out invalid YAML$/, "");
}

interface OwnLeaf {
  readonly path: ValuesPath;
  readonly value: unknown;
  readonly from: string;
}

function isRefusal(error: unknown): error is Failure<"HELM_FAILED" | "CHART_UNUSABLE" | "CHART_VALUE_WANTED"> {
  return isFailure(error, "HELM_FAILED", "CHART_UNUSABLE", "CHART_VALUE_WANTED");
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

interface Mistyped {
  readonly path: ValuesPath;
  readonly value: unknown;
  /** What values.yaml has there. */
  readonly standing: unknown;
}

/** helm reads a values file as YAML 1.1, where these words are booleans; in the spec they are text. */
function isTruthOfHelm(value: unknown): boolean {
  return typeof value === "string" && /^(?:y|yes|n|no|on|off)$/i.test(value);
}

/**
 * helm takes any type: `"false"` is true in a template, and text where the chart has a map is dropped with a word in a log.
 * Text and numbers stand for each other, and nothing is known of what is empty.
 */
function mistypedIn(
  values: Values,
  defaults: Values,
  isExcused: (value: unknown) => boolean,
  at: ValuesPath = [],
): readonly Mistyped[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const standing = Object.hasOwn(defaults, key) ? defaults[key] : undefined;
    const path = [...at, key];
    if (isValues(value) && isValues(standing)) return mistypedIn(value, standing, isExcused, path);
    const [is, was] = [typeIn(value), typeIn(standing)];
    const isFine = is === "" || was === "" || is === was || isExcused(value) || (was === "text" && is === "boolean");
    return isFine ? [] : [{ path, value, standing }];
  });
}

function typeIn(value: unknown): "" | "text" | "boolean" | "list" | "map" {
  if (value === undefined || value === null || value === "") return "";
  if (typeof value === "boolean") return "boolean";
  if (typeof value !== "object") return "text";
  if (Object.keys(value).length === 0) return "";
  return Array.isArray(value) ? "list" : "map";
}

/** What it is, without what it says: a value may be a secret. */
function shapeOf(value: unknown): string {
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (typeof value === "string") return /^(?:true|false|yes|no|on|off)$/i.test(value) ? JSON.stringify(value) : '"…"';
  return Array.isArray(value) ? "[…]" : "{…}";
}

function nearTo(path: ValuesPath, { defaults, read }: ChartValues): string {
  const known = new Set([...leavesOf(defaults).map((leaf) => leaf.path), ...read].map(joinPath));
  return nearest(joinPath(path), known) ?? "-";
}
