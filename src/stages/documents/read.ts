import type * as z from "zod";
import { Failure } from "../../model/failure.ts";
import { wholeDocument } from "../../model/finding.ts";
import { issueWords } from "../../model/list-of.ts";
import { ReleaseDocument, releaseEntry } from "../../model/release.ts";
import { JsonError, parseBounded } from "../../std/bounded-json.ts";
import type { Bundle } from "../../content/open-bundle.ts";

/** One thing that is wrong in one document. */
export interface Wrong {
  readonly where: string;
  readonly why: string;
}

type Read<T> = { readonly value: T; readonly wrong?: undefined } | { readonly wrong: readonly Wrong[] };

/** So many faults of one document are told. */
const told = 20;

/** Reads a JSON document that nobody vouches for, as `schema` has it. */
export function readJson<S extends z.ZodType>(bytes: Uint8Array, schema: S): Read<z.output<S>> {
  let json: unknown;
  try {
    json = parseBounded(bytes);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { wrong: [{ where: wholeDocument, why: error.message }] };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { value: parsed.data };
  const wrong = parsed.error.issues
    .slice(0, told)
    .map((issue) => ({ where: pathOf(issue.path), why: issueWords(issue) }));
  return { wrong };
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? wholeDocument : path.map(String).join(".").slice(0, 200);
}

interface NamedBundle {
  readonly source: Pick<Bundle["source"], "name">;
}

/** @throws Failure BUNDLE_MALFORMED: its bytes are as they were built, and still nobody vouches for them */
export async function readRelease(bundle: NamedBundle & Pick<Bundle, "readFile">): Promise<ReleaseDocument> {
  const read = readJson(await bundle.readFile(releaseEntry), ReleaseDocument);
  if (read.wrong === undefined) return read.value;
  throw malformed(bundle, releaseEntry, read.wrong);
}

/** The first of what is wrong, and how much more there is: `verify` names all of it. */
export function malformed(bundle: NamedBundle, document: string, wrong: readonly Wrong[]): Failure {
  const [{ where, why } = { where: wholeDocument, why: "?" }, ...more] = wrong;
  const also = more.length === 0 ? "" : ` (+${more.length})`;
  return new Failure("BUNDLE_MALFORMED", {
    path: bundle.source.name,
    where: `${document} ${where}`,
    why: `${why.slice(0, 300)}${also}`,
  });
}

/** So many are told; documents that differ everywhere are another bundle's. */
const most = 20;

/** Where `got` is not `wanted`. Both are what JSON holds; a member that is `undefined` is not there. */
export function differences(wanted: unknown, got: unknown): readonly Wrong[] {
  const found: Wrong[] = [];
  compare(wanted, got, [], found);
  return found;
}

function compare(wanted: unknown, got: unknown, path: readonly string[], found: Wrong[]): void {
  if (found.length >= most || Object.is(wanted, got)) return;
  if (isObject(wanted) && isObject(got) && Array.isArray(wanted) === Array.isArray(got)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)]))
      compare(member(wanted, key), member(got, key), [...path, key], found);
    return;
  }
  found.push({ where: pathOf(path), why: `expected ${shown(wanted)}, not ${shown(got)}` });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** `Object.hasOwn`: a document may have a member of any name. */
function member(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
