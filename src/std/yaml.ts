import {
  CORE_SCHEMA,
  defineScalarTag,
  dump,
  FAILSAFE_SCHEMA,
  loadAll,
  mergeTag,
  YAMLException,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type LoadOptions,
  type Schema,
  type Event,
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
// Kubernetes' own reader merges `<<`, so what stands behind one is read as part of the map.
const strings = FAILSAFE_SCHEMA.withTags(
  mergeTag,
  defineScalarTag("tag:yaml.org,2002:", anyTag),
  defineScalarTag("!", anyTag),
);

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

type Scalar = Extract<Event, { readonly valueStart: number }>;

/** Where one value stands in its text: offsets, end exclusive. `scalar` is absent for maps and lists. */
export interface Spot {
  readonly start: number;
  readonly key?: { readonly start: number; readonly end: number } | undefined;
  /** A scalar with its quotes, or an alias with its star: what can be replaced by another scalar. */
  readonly scalar?: { readonly start: number; readonly end: number; readonly block: boolean } | undefined;
}

/** The spots of one document, by the path of keys and indexes joined with `pathKey`. */
export type Spots = ReadonlyMap<string, Spot>;

export function pathKey(path: readonly PropertyKey[]): string {
  return path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
}

/** Lines and columns count from 1, as editors do. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, Math.max(0, offset));
  return { line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
}

interface Frame {
  readonly path: readonly PropertyKey[];
  readonly map: boolean;
  index: number;
  key: { readonly name: string; readonly start: number; readonly end: number } | undefined;
}

/**
 * Finds every value of every document in `text`, so that a mistake can be shown where it stands and one scalar can be
 * replaced without touching the rest. The text must be YAML already (`loadStrings` did not throw).
 */
export function spotsOf(text: string): readonly Spots[] {
  const documents: Map<string, Spot>[] = [];
  const stack: (Frame | undefined)[] = [];
  const seen = { end: 0 };
  for (const event of parseEvents(text, { maxDepth: 64 })) {
    if (event.type === EVENT_ID.DOCUMENT) {
      documents.push(new Map());
      stack.push(undefined);
    } else if (event.type === EVENT_ID.POP) stack.pop();
    else visit({ text, event, stack, seen, spots: documents.at(-1) ?? new Map<string, Spot>() });
  }
  return documents;
}

interface Visit {
  readonly text: string;
  readonly event: Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>;
  readonly stack: (Frame | undefined)[];
  readonly spots: Map<string, Spot>;
  /** How far the values before this one reach: an empty item of a list stands behind the next dash. */
  readonly seen: { end: number };
}

function visit(visit: Visit): void {
  const frame = visit.stack.at(-1);
  if (frame?.map === true && frame.key === undefined) readKey(visit, frame);
  else readValue(visit, frame);
}

function readKey({ text, event, stack, seen }: Visit, frame: Frame): void {
  const name = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : "?";
  frame.key = { name, ...extent(event, () => 0) };
  seen.end = frame.key.end;
  push(stack, event, frame.path);
}

function readValue({ text, event, stack, spots, seen }: Visit, frame: Frame | undefined): void {
  const path = frame === undefined ? [] : [...frame.path, frame.key?.name ?? frame.index++];
  const { start, end } = extent(event, () =>
    frame?.map === false ? after("-", text, seen.end) : after(":", text, frame?.key?.end ?? 0),
  );
  seen.end = Math.max(seen.end, end);
  const block = event.type === EVENT_ID.SCALAR && event.style >= SCALAR_STYLE.LITERAL_BLOCK;
  const replaceable = event.type === EVENT_ID.SCALAR || event.type === EVENT_ID.ALIAS;
  spots.set(pathKey(path), {
    start,
    key: frame?.key,
    scalar: replaceable ? { start, end, block } : undefined,
  });
  if (frame !== undefined) frame.key = undefined;
  push(stack, event, path);
}

/** A container stays open until its POP, whether it is a value or (rarely) a key. */
function push(stack: (Frame | undefined)[], event: Visit["event"], path: readonly PropertyKey[]): void {
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE)
    stack.push({ path, map: event.type === EVENT_ID.MAPPING, index: 0, key: undefined });
}

function extent(event: Visit["event"], empty: () => number): { readonly start: number; readonly end: number } {
  if (event.type === EVENT_ID.ALIAS) return { start: event.anchorStart - 1, end: event.anchorEnd };
  if (event.type !== EVENT_ID.SCALAR) return { start: event.start, end: event.start };
  const scalar: Scalar = event;
  // An empty value has no place of its own: it stands after its key's colon, or its item's dash.
  if (scalar.valueStart < 0) return { start: empty(), end: empty() };
  const quote = scalar.style === SCALAR_STYLE.SINGLE_QUOTED || scalar.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
  return { start: scalar.valueStart - quote, end: scalar.valueEnd + quote };
}

function after(mark: ":" | "-", text: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? from : at + 1;
}
