export type Values = Readonly<Record<string, unknown>>;

/** A place in Helm values, key by key. */
export type ValuesPath = readonly string[];

/** `higress-console.podEnvs.A`; a dot inside a key is written `\.`, as in helm's `--set`. */
export function splitPath(path: string): ValuesPath {
  return (path.match(/(?:\\.|[^.\\])+/g) ?? []).map((part) => part.replaceAll(/\\(.)/g, "$1"));
}

/** What `splitPath` reads back. */
export function joinPath(path: ValuesPath): string {
  return path.map((key) => key.replaceAll(/[\\.]/g, String.raw`\$&`)).join(".");
}

export function nest(keys: ValuesPath, value: unknown): Values {
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Values;
}

/** `undefined` where nothing stands. */
export function valueAt(values: unknown, path: ValuesPath): unknown {
  return path.reduce<unknown>((at, key) => (isValues(at) && Object.hasOwn(at, key) ? at[key] : undefined), values);
}

/** Merges as helm does with several `-f`: maps key by key, everything else is replaced; a later `null` stays `null`. */
export function mergeValues(...layers: readonly Values[]): Values {
  return layers.reduce<Values>((merged, layer) => {
    const entries = new Map(Object.entries(merged));
    for (const [key, value] of Object.entries(layer)) {
      const before = entries.get(key);
      entries.set(key, isValues(before) && isValues(value) ? mergeValues(before, value) : value);
    }
    return Object.fromEntries(entries);
  }, {});
}

export function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Everything that is no map, with its place; a list is one value, as it is for helm. */
export function leavesOf(values: Values, path: ValuesPath = []): readonly { path: ValuesPath; value: unknown }[] {
  return Object.entries(values).flatMap(([key, value]) =>
    isValues(value) && Object.keys(value).length > 0
      ? leavesOf(value, [...path, key])
      : [{ path: [...path, key], value }],
  );
}

/** What a chart says of its values, subcharts included, as they are seen from the top. */
export interface ChartValues {
  /** Of every `values.yaml`, merged as helm merges them. */
  readonly defaults: Values;
  /** Every path that a template or a dependency's condition names, whether `values.yaml` has it or not. */
  readonly read: readonly ValuesPath[];
  /** Whether a template asks which Kubernetes it is rendered for. */
  readonly asksKubeVersion?: boolean;
}
