import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, type Event } from "js-yaml";

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
  for (const event of parseEvents(text, { maxDepth: 64 })) {
    if (event.type === EVENT_ID.DOCUMENT) {
      documents.push(new Map());
      stack.push(undefined);
    } else if (event.type === EVENT_ID.POP) stack.pop();
    else visit({ text, event, stack, spots: documents.at(-1) ?? new Map<string, Spot>() });
  }
  return documents;
}

interface Visit {
  readonly text: string;
  readonly event: Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>;
  readonly stack: (Frame | undefined)[];
  readonly spots: Map<string, Spot>;
}

function visit(visit: Visit): void {
  const frame = visit.stack.at(-1);
  if (frame?.map === true && frame.key === undefined) readKey(visit, frame);
  else readValue(visit, frame);
}

function readKey({ text, event, stack }: Visit, frame: Frame): void {
  const name = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : "?";
  frame.key = { name, ...extent(text, event) };
  push(stack, event, frame.path);
}

function readValue({ text, event, stack, spots }: Visit, frame: Frame | undefined): void {
  const path = frame === undefined ? [] : [...frame.path, frame.key?.name ?? frame.index++];
  const { start, end } = extent(text, event, frame?.key?.end);
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

function extent(text: string, event: Visit["event"], otherwise = 0): { readonly start: number; readonly end: number } {
  if (event.type === EVENT_ID.ALIAS) return { start: event.anchorStart - 1, end: event.anchorEnd };
  if (event.type !== EVENT_ID.SCALAR) return { start: event.start, end: event.start };
  const scalar: Scalar = event;
  // An empty value has no place of its own: it stands after its key's colon.
  if (scalar.valueStart < 0) return { start: afterColon(text, otherwise), end: afterColon(text, otherwise) };
  const quote = scalar.style === SCALAR_STYLE.SINGLE_QUOTED || scalar.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
  return { start: scalar.valueStart - quote, end: scalar.valueEnd + quote };
}

function afterColon(text: string, from: number): number {
  const colon = text.indexOf(":", from);
  return colon < 0 ? from : colon + 1;
}
