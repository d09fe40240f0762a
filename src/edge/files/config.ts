import { dirname, resolve } from "node:path";
import * as z from "zod";
import { Failure } from "../../model/failure.ts";
import { RelocationMap } from "../../model/relocation.ts";
import { sanitize } from "../../model/sanitize.ts";
import { Site } from "../../model/site.ts";
import { BundleSpec } from "../../model/spec.ts";
import { lineAndColumn, pathKey, spotsOf, type Spot, type Spots } from "../../std/yaml-spots.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";
import { absoluteBundleSpec, absoluteSite } from "./config-paths.ts";
import { problemsOf, type Problem } from "./config-problems.ts";
import { placeholderProblems } from "./placeholders.ts";
import { readText } from "./read-text.ts";

const Values = z.record(z.string(), z.unknown());
/** People write these by hand; one that is larger is another file. */
const maxSize = 4 * 1024 ** 2;

/** Reads `bundle.yaml`; relative paths in it are relative to it, and absolute in the result. */
export async function loadBundleSpec(path: string): Promise<BundleSpec> {
  return absoluteBundleSpec(parseConfig(await readText(path, maxSize), path, BundleSpec), dirname(resolve(path)));
}

/** Reads `site.yaml`; relative paths in it are relative to it, and absolute in the result. */
export async function loadSite(path: string): Promise<Site> {
  return absoluteSite(parseConfig(await readText(path, maxSize), path, Site), dirname(resolve(path)));
}

export async function loadRelocationMap(path: string): Promise<RelocationMap> {
  return parseRelocationMap(await readText(path, maxSize), path);
}

/** Reads a file of Helm values as it is written. @throws Failure CONFIG_INVALID unless it holds a map */
export async function loadValues(path: string): Promise<string> {
  const text = await readText(path, maxSize);
  parseConfig(text, path, Values);
  return text;
}

/** @throws Failure CONFIG_INVALID also for a placeholder that nothing fills in */
export function parseRelocationMap(text: string, file: string): RelocationMap {
  const map = parseConfig(text, file, RelocationMap);
  const problems = placeholderProblems(map);
  if (problems.length > 0) throw configInvalid(file, text, problems);
  return map;
}

/**
 * Reads YAML or JSON text as `schema` says.
 * @throws Failure CONFIG_INVALID with every mistake on its own line: `file:line:column path - what`
 */
export function parseConfig<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const document = documentOf(text, file);
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw configInvalid(file, text, problemsOf(parsed.error, schema));
}

function documentOf(text: string, file: string): unknown {
  try {
    const [document, ...more] = loadTyped(text);
    if (more.length > 0) throw new YamlError("one document expected", { line: 1, column: 1 });
    return document ?? {};
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const problems = `${file}:${error.line}:${error.column} ${sanitize(error.message, 200)}`;
    throw new Failure("CONFIG_INVALID", { file, problems });
  }
}

function configInvalid(file: string, text: string, problems: readonly Problem[]): Failure {
  const spots = spotsOf(text)[0] ?? new Map<string, Spot>();
  const lines = problems.map(({ path, what, atKey }) => {
    const { line, column } = lineAndColumn(text, startOf(spots, path, atKey === true));
    const name = path.length === 0 ? "" : `${path.map(String).join(".")} - `;
    return { line, column, text: `${file}:${line}:${column} ${name}${sanitize(what, 300)}` };
  });
  lines.sort((a, b) => a.line - b.line || a.column - b.column);
  return new Failure("CONFIG_INVALID", { file, problems: lines.map((line) => line.text).join("\n") });
}

/** Where the value stands; where it is missing, the nearest thing around it. */
function startOf(spots: Spots, path: readonly PropertyKey[], atKey: boolean): number {
  const spot = spots.get(pathKey(path));
  if (spot?.scalar !== undefined && !atKey) return spot.start;
  for (let length = path.length; length >= 0; length -= 1) {
    const around = spots.get(pathKey(path.slice(0, length)));
    if (around !== undefined) return around.key?.start ?? around.start;
  }
  return 0;
}
