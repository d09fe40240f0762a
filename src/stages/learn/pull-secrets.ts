import { identityOf, itemsAt, podSpecOf, renderedObjects, type RenderedObject } from "../../model/rendered-object.ts";
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
import type { Trials } from "./trials.ts";

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
export async function pullSecretsOf(
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
