import {
  joinPath,
  leavesOf,
  mergeValues,
  nest,
  valueAt,
  type ChartValues,
  type Values,
  type ValuesPath,
} from "../../model/values.ts";
import { needed } from "../../std/needed.ts";
import { isEmpty } from "./candidates.ts";
import { slotsOf, type Slots } from "./slots.ts";
import type { Trials } from "./trials.ts";

/** Values that switch something on, and the references that only then are named. */
export interface Feature {
  readonly switches: readonly ValuesPath[];
  readonly references: readonly string[];
}

export interface Features {
  readonly features: readonly Feature[];
  /** The chart with everything on that shows a reference, and the chart as it is. */
  readonly states: readonly State[];
}

export interface State {
  readonly values: Values;
  readonly slots: Slots;
}

interface Switch {
  readonly path: ValuesPath;
  readonly value: boolean;
}

const switchKey = /^(enabled?|create|install|deploy)$|^(enable|install|deploy|use)[A-Z]|Enabled$/;

/** Every boolean the other way round; what templates ask for and nobody sets counts as off. */
function switchesOf(values: Values, { read }: ChartValues): readonly Switch[] {
  const set = leavesOf(values).flatMap(({ path, value }) =>
    typeof value === "boolean" ? [{ path, value: !value }] : [],
  );
  const unset = read.filter((path) => switchKey.test(path.at(-1) ?? "") && isEmpty(valueAt(values, path)));
  const all = [...set, ...unset.map((path) => ({ path, value: true }))];
  // Off first: what is on already was seen with the chart as it is.
  return [...new Map(all.map((each) => [joinPath(each.path), each])).values()];
}

/**
 * What the chart would name with its features on: every boolean is flipped in one render, and the few that show a new
 * reference are found by leaving out the others, half by half.
 */
export async function featuresOf(values: Values, chart: ChartValues, plain: string, trials: Trials): Promise<Features> {
  const base = slotsOf(plain);
  const flips = switchesOf(values, chart);
  const states: State[] = [{ values: {}, slots: base }];
  const features: Feature[] = [];
  // On and off apart: what a chart shows when something is off is rare, and hides much else.
  for (const direction of [true, false]) {
    const group = flips.filter(({ value }) => value === direction);
    const taken = await trials.accepted(group, valuesOf);
    const seen = newReferences(await trials.render(valuesOf(taken)), base);
    if (seen.size === 0) continue;
    const found = await explain(taken, seen, base, trials);
    features.push(...found);
    const values = valuesOf(found.flatMap(({ switches }) => taken.filter(({ path }) => switches.includes(path))));
    states.unshift({ values, slots: slotsOf((await trials.render(values)) ?? "") });
  }
  return { features, states };
}

/** Leaves what matters, then takes each of those out by itself to see what goes with it. */
async function explain(
  taken: readonly Switch[],
  seen: ReadonlySet<string>,
  base: Slots,
  trials: Trials,
): Promise<readonly Feature[]> {
  const all = await needed(taken, async (some) => {
    const now = newReferences(await trials.render(valuesOf(some)), base);
    return [...seen].every((reference) => now.has(reference));
  });
  const needs = new Map<string, ValuesPath[]>([...seen].map((reference) => [reference, []]));
  for (const each of all) {
    const now = newReferences(await trials.render(valuesOf(all.filter((other) => other !== each))), base);
    for (const [reference, switches] of needs) if (!now.has(reference)) switches.push(each.path);
  }
  const bySwitches = new Map<string, { switches: readonly ValuesPath[]; references: string[] }>();
  for (const [reference, switches] of [...needs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = switches.map(joinPath).join(" ");
    const feature = bySwitches.get(key) ?? { switches, references: [] };
    feature.references.push(reference);
    bySwitches.set(key, feature);
  }
  return [...bySwitches.values()];
}

function valuesOf(switches: readonly Switch[]): Values {
  return mergeValues(...switches.map(({ path, value }) => nest(path, value)));
}

function newReferences(manifest: string | undefined, base: Slots): ReadonlySet<string> {
  const known = new Set([...base.values()].map(({ text }) => text));
  const found = manifest === undefined ? [] : [...slotsOf(manifest).values()].map(({ text }) => text);
  return new Set(found.filter((text) => !known.has(text)));
}
