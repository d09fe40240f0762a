import { anyEntry, type Patch, type Setting } from "../../model/relocation.ts";
import { identityOf, itemsAt, podSpecOf, renderedObjects, type RenderedObject } from "../../model/rendered-object.ts";
import {
  joinPath,
  mergeValues,
  nest,
  type ChartValues,
  type Values,
  leavesOf,
  valueAt,
  type ValuesPath,
} from "../../model/values.ts";
import { candidatesOf } from "./candidates.ts";
import { featuresOf, type Feature, type State } from "./features.ts";
import { chosen, moversOf, type Choice, type Mover } from "./movers.ts";
import { referenceParts, slotsOf, textsOf, wordAt, type Slot } from "./slots.ts";
import { Trials, type Render } from "./trials.ts";

export interface LearnInput {
  readonly chart: ChartValues;
  /** The user's, merged: what they set is what is learned about. */
  readonly values: Values;
  /** Under which the chart is rendered here: where an object's name has it, the map says `{release}`. */
  readonly release: string;
  /** Another one, which shows what becomes of the names. */
  readonly otherRelease: string;
}

export interface Learned {
  readonly images: readonly Setting[];
  readonly pullSecrets: readonly Setting[];
  readonly patches: readonly Patch[];
  readonly features: readonly Feature[];
  /** What was asked of helm, and what it showed. */
  readonly renders: number;
  readonly references: { readonly found: number; readonly moved: number; readonly patched: number };
}

/** Stands for the target while the choice is tried: with all that a site may have, since a schema may refuse a port. */
const trial = "learned.invalid:8443/moved/here";

/**
 * Finds by rendering which values of a chart move which reference: any chart, seen for the first time. Every value that
 * may hold a registry gets a host of its own, and where that host comes out again is what the value moves.
 * @returns undefined when the chart does not render with the user's values
 */
export async function learnRelocation(input: LearnInput, render: Render): Promise<Learned | undefined> {
  const { chart, values } = input;
  const trials = new Trials(render);
  const plain = await trials.render({});
  if (plain === undefined) return undefined;
  const effective = mergeValues(chart.defaults, values);
  const { features, states } = await featuresOf(effective, chart, plain, trials);
  const candidates = candidatesOf(effective, chart);
  const chains = new Map<string, readonly Mover[]>();
  const moved = new Map<string, string>();
  for (const [at, { values: on, slots }] of states.entries()) {
    const unknown = new Map([...slots].filter(([, { text }]) => ![...moved.values()].includes(text)));
    for (const [key, movers] of await moversOf(candidates, unknown, on, trials)) {
      chains.set(`${at} ${key}`, movers);
      moved.set(`${at} ${key}`, slots.get(key)?.text ?? "");
    }
  }
  const kept = await verified(chosen(chains), states, trials);
  const pullSecrets = await pullSecretsOf(effective, chart, states[0]?.values ?? {}, trials);
  const patches = await patchesOf(kept.left, input, states, trials);
  const found = new Set(states.flatMap(({ slots }) => [...slots.values()].map(({ text }) => text)));
  const left = new Set(kept.left.map(({ text }) => text));
  return {
    images: kept.choices.map((choice) => settingOf(choice, moved)).sort(byPath),
    pullSecrets: pullSecrets.map(secretSetting),
    patches,
    features,
    renders: trials.count,
    references: { found: found.size, moved: found.size - left.size, patched: left.size },
  };
}

/** Tries the choice as the far side will, and says what is still where it was or has become another name. */
async function verified(
  choices: readonly Choice[],
  states: readonly State[],
  trials: Trials,
): Promise<{ readonly choices: readonly Choice[]; readonly left: readonly Slot[] }> {
  const valuesOf = (some: readonly Choice[]): Values =>
    mergeValues(...some.map((choice) => nest(choice.candidate.path, valueOf(choice, trial))));
  const kept = await trials.accepted(choices, (some) => mergeValues(states[0]?.values ?? {}, valuesOf(some)));
  const left: Slot[] = [];
  for (const { values, slots } of states) {
    const texts = textsOf((await trials.render(values, valuesOf(kept))) ?? "");
    left.push(...[...slots.values()].filter((slot) => !isMoved(slot, wordAt(texts, slot) ?? "")));
  }
  return { choices: kept, left };
}

function isMoved(slot: Slot, word: string): boolean {
  const bare = word.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  if (bare !== trial && !bare.startsWith(`${trial}/`)) return false;
  const path = bare
    .slice(trial.length + 1)
    .replace(/@sha256:[0-9a-f]+$/, "")
    .replace(/:[\w.-]*$/, "");
  return path === referenceParts(slot).path;
}

function valueOf({ candidate, behind }: Choice, prefix: string): unknown {
  return candidate.with(behind === "" ? prefix : `${prefix}/${behind}`);
}

function settingOf(choice: Choice, texts: ReadonlyMap<string, string>): Setting {
  const moves = choice.slots.flatMap((key) => texts.get(key) ?? []);
  return {
    path: joinPath(choice.candidate.path),
    value: valueOf(choice, "{prefix}"),
    moves: [...new Set(moves)].sort(),
  };
}

function secretSetting({ path, value, workloads }: PullSecretSetting): Setting {
  return { path: joinPath(path), value, moves: [...new Set(workloads)].sort() };
}

function byPath(a: Setting, b: Setting): number {
  return a.path < b.path ? -1 : 1;
}

/**
 * What no value reaches is replaced in the rendered object itself, by where it stands. The object's name counts where it
 * follows from the release's: most charts leave their own name out where the release's has it already, some make names up,
 * and `.Release.Revision` is 1 only the first time. Then any object of the kind is meant, as `from` says enough.
 */
async function patchesOf(
  left: readonly Slot[],
  { release, otherRelease }: LearnInput,
  states: readonly State[],
  trials: Trials,
): Promise<readonly Patch[]> {
  if (left.length === 0) return [];
  const again = new Set<string>();
  for (const { values } of states) {
    const manifest = await trials.renderAs(otherRelease, values);
    for (const slot of slotsOf(manifest ?? "").values()) again.add(placeOf(patchOf(slot)));
  }
  const patches = left.map(patchOf).map((patch) => {
    const named = { ...patch, name: patch.name.replaceAll(release, "{release}") };
    const there = { ...patch, name: patch.name.replaceAll(release, otherRelease) };
    return again.has(placeOf(there)) && !/(?:^|-)1$/.test(patch.name) ? named : { ...patch, name: "*" };
  });
  return [...new Map(patches.map((patch) => [placeOf(patch), patch])).values()];
}

function placeOf({ kind, name, path, from }: Patch): string {
  return [kind, name, path, from].join(" ");
}

function patchOf(slot: Slot): Patch {
  const { where, path, text, what } = slot;
  const [kind = "", ...names] = where.split("/");
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? "";
  const { path: repository, rest } = referenceParts(slot);
  const tag = what === "image" && rest === "" ? ":latest" : rest;
  const to = `${scheme}{prefix}${repository === "" ? "" : `/${repository}`}${tag}`;
  // Which container, argument or variable it is depends on what else is on; `from` says which is meant.
  return { kind, name: names.at(-1) ?? "", path: anyEntry(path), from: text, to };
}

/** A value that gives workloads a pull secret. `of` makes its value of the secret's name. */
export interface PullSecretSetting {
  readonly path: ValuesPath;
  readonly value: unknown;
  readonly workloads: readonly string[];
}

const secretKey = /^(image)?pull_?secrets?$/i;

/** Charts write a secret as Kubernetes does, or only its name, in a list or alone. A list that has some keeps them. */
const forms: readonly ((name: string, standing: readonly unknown[]) => unknown)[] = [
  (name, standing) => [...standing, { name }],
  (name, standing) => [...standing, name],
  (name) => name,
];

/** Every value for pull secrets gets a secret of its own name; those that come out again at a pod are the ones to set. */
async function pullSecretsOf(
  values: Values,
  { read }: ChartValues,
  state: Values,
  trials: Trials,
): Promise<readonly PullSecretSetting[]> {
  const known = [...leavesOf(values).map(({ path }) => path), ...read].filter((path) =>
    secretKey.test(path.at(-1) ?? ""),
  );
  const paths = [...new Map(known.map((path) => [joinPath(path), path])).values()];
  const found: PullSecretSetting[] = [];
  let left = paths.map((path, at) => {
    const value = valueAt(values, path);
    return { path, name: `s${at}-learn-invalid`, standing: Array.isArray(value) ? (value as unknown[]) : [] };
  });
  for (const form of forms) {
    const valuesOf = (some: typeof left): Values =>
      mergeValues(state, ...some.map(({ path, name, standing }) => nest(path, form(name, standing))));
    const taken = await trials.accepted(left, (some) => valuesOf([...some]));
    const uses = usesOf((await trials.render(valuesOf([...taken]))) ?? "");
    const shown = taken.filter(({ name }) => uses.has(name));
    found.push(
      ...shown.map(({ path, name, standing }) => ({
        path,
        value: form("{pullSecret}", standing),
        workloads: uses.get(name) ?? [],
      })),
    );
    left = left.filter((each) => !shown.includes(each));
    if (left.length === 0) break;
  }
  return found.sort((a, b) => (joinPath(a.path) < joinPath(b.path) ? -1 : 1));
}

/** Name of a pull secret to the pods and accounts that name it. */
function usesOf(manifest: string): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, string[]>();
  for (const object of renderedObjects(manifest)) {
    const { kind, name } = identityOf(object);
    for (const secret of secretsOf(object)) uses.set(secret, [...(uses.get(secret) ?? []), `${kind}/${name}`]);
  }
  return uses;
}

function secretsOf(object: RenderedObject): readonly string[] {
  const holder = object["kind"] === "ServiceAccount" ? object : podSpecOf(object)?.spec;
  const secrets = holder === undefined ? [] : itemsAt(holder, "imagePullSecrets");
  return secrets.flatMap(({ name }) => (typeof name === "string" ? [name] : []));
}
