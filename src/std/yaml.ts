import {
  CORE_SCHEMA,
  defineScalarTag,
  dump,
  FAILSAFE_SCHEMA,
  loadAll,
  mergeTag,
  YAMLException,
  type LoadOptions,
  type Schema,
} from "js-yaml";

/** Where YAML is wrong, and why. js-yaml's own exception holds the whole text, which may hold secrets: it stays here. */
export class YamlError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(why: string, at: { readonly line: number; readonly column: number }) {
    super(why);
    this.name = "YamlError";
    this.line = at.line;
    this.column = at.column;
  }
}

/** Hostile YAML ends here: nesting, alias count, and what the aliases grow to (nine levels of nine are 400 million). */
const bounds = { maxDepth: 64, maxAliases: 1000, maxTotalMergeKeys: 1000 } as const;
const maxNodes = 2_000_000;

const typed = CORE_SCHEMA.withTags(mergeTag);

// Explicit tags (`!!int "3"`, `!custom`) must not stop a scan: whatever is written, its text is what counts.
const anyTag = { matchByTagPrefix: true, resolve: (source: string) => source, identify: () => false };
const strings = FAILSAFE_SCHEMA.withTags(defineScalarTag("tag:yaml.org,2002:", anyTag), defineScalarTag("!", anyTag));

/** One value per document, empty documents included, so that an index here is an index in `spotsOf`. */
export type Documents = readonly unknown[];

/** Our own files (configuration, `index.yaml`, `Chart.yaml`): YAML 1.2 core types and merge keys. Duplicate keys throw. */
export function loadTyped(text: string): Documents {
  return loadWith(typed, text, {});
}

/** Typed documents of others, in which a key may stand twice: as Kubernetes' own reader does it, the last one counts. */
export function loadTypedLoosely(text: string): Documents {
  return loadWith(typed, text, { json: true });
}

/** Prints what `loadTyped` reads back as it was; from `flowLevel` on, maps stand on one line. */
export function printTyped(value: unknown, flowLevel = -1): string {
  return dump(value, { schema: typed, flowLevel, lineWidth: 160, noRefs: true });
}

/**
 * Documents of others, every scalar as the text that was written. No schema reads as Helm and kubectl do (`0644`,
 * `yes`, `1.10`), so nothing that was read here may ever be printed as YAML again.
 */
export function loadStrings(text: string): Documents {
  return loadWith(strings, text, { json: true });
}

function loadWith(schema: Schema, text: string, options: LoadOptions): Documents {
  try {
    const loaded = loadAll(text, { ...bounds, ...options, schema });
    if (loaded.reduce<number>((sum, document) => sum + nodesOf(document, new Map()), 0) > maxNodes)
      throw new YamlError(`aliases grow to more than ${maxNodes} nodes`, { line: 1, column: 1 });
    return loaded;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const mark = error.mark as { line: number; column: number } | null | undefined;
    throw new YamlError(error.reason, { line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 });
  }
}

/** Nodes as a walk would meet them: an alias counts as often as it is used, but is counted once. */
function nodesOf(value: unknown, known: Map<object, number>): number {
  if (typeof value !== "object" || value === null) return 1;
  const counted = known.get(value);
  if (counted !== undefined) return counted;
  known.set(value, Infinity); // until it is counted: an alias to what it stands in never ends
  const count = Object.values(value).reduce<number>((sum, child) => sum + nodesOf(child, known), 1);
  known.set(value, count);
  return count;
}
