import { dirname, resolve } from "node:path";
import * as z from "zod";
import { Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { foreignCharacter } from "../../model/reference.ts";
import { RelocationMap } from "../../model/relocation.ts";
import { sanitize } from "../../model/sanitize.ts";
import { Site } from "../../model/site.ts";
import { BundleSpec, type CredentialsSource, type Registries } from "../../model/spec.ts";
import { lineAndColumn, pathKey, spotsOf, type Spot, type Spots } from "../../std/yaml.ts";
import { placeholderProblems, problemsOf, toldProblems, type Problem } from "./config-problems.ts";
import { documentsOf } from "./documents.ts";
import { readText } from "./read-text.ts";

const Values = z.record(z.string(), z.unknown());
/** People write these by hand; one that is larger is another file. */
const maxSize = 4 * 1024 ** 2;

/** Reads `bundle.yaml`; relative paths in it are relative to it, and absolute in the result. */
export async function loadBundleSpec(path: string): Promise<BundleSpec> {
  return absoluteBundleSpec(parseConfig(await readText(path, maxSize), path, BundleSpec), dirname(resolve(path)));
}

/** A spec without those of its images and plugins whose reference nobody can read, and a finding for each of them. */
export interface ReadableSpec {
  readonly spec: BundleSpec;
  readonly unreadable: readonly Finding[];
}

/**
 * As `loadBundleSpec`; but where nothing else is wrong, references that nobody can read are told beside the ones that
 * registries do not have, by the build that asks for those.
 */
export async function loadReadableSpec(path: string): Promise<ReadableSpec> {
  const text = await readText(path, maxSize);
  const document = documentOf(text, path);
  const parsed = BundleSpec.safeParse(document);
  const folder = dirname(resolve(path));
  if (parsed.success) return { spec: absoluteBundleSpec(parsed.data, folder), unreadable: [] };
  const problems = problemsOf(parsed.error, BundleSpec);
  const unreadable = problems.flatMap((problem) => unreadableReference(document, problem, { path, text }));
  if (unreadable.length < problems.length) throw configInvalid(path, text, problems);
  for (const list of referenceLists) {
    const entries = nodeAt(document, list);
    const gone = problems
      .filter(({ path: at }) => list.every((key, depth) => key === at[depth]))
      .map(({ path: at }) => at[list.length]);
    // From the end, so that the places of the others stay.
    if (Array.isArray(entries)) for (const at of gone.map(Number).sort((a, b) => b - a)) entries.splice(at, 1);
  }
  return { spec: absoluteBundleSpec(parseConfig(JSON.stringify(document), path, BundleSpec), folder), unreadable };
}

const referenceLists = [["images"], ["plugins", "list"]] as const;

function unreadableReference(
  document: unknown,
  problem: Problem,
  { path: file, text }: { path: string; text: string },
): readonly Finding[] {
  const { path } = problem;
  const list = referenceLists.find((keys) => keys.every((key, at) => key === path[at]));
  const inEntry = path.slice((list?.length ?? 0) + 1);
  const value = nodeAt(document, path);
  if (list === undefined || (inEntry.length > 0 && inEntry.join() !== "ref") || typeof value !== "string") return [];
  const spots = spotsOf(text)[0] ?? new Map<string, Spot>();
  const { line, column } = lineAndColumn(text, startOf(spots, path, false));
  const facts = { where: `${file}:${line}:${column}`, path: path.map(String).join("."), value: value.slice(0, 300) };
  return [
    finding("error", "reference.unreadable", { ...facts, why: foreignCharacter(value) ?? "registry/repository:tag" }),
  ];
}

function nodeAt(node: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Readonly<Record<PropertyKey, unknown>>)[key] : undefined,
    node,
  );
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
  const [document, ...more] = documentsOf(text, file);
  if (more.length === 0) return document ?? {};
  throw new Failure("CONFIG_INVALID", { file, problems: `${file}:1:1 one document expected` });
}

function configInvalid(file: string, text: string, problems: readonly Problem[]): Failure {
  const spots = spotsOf(text)[0] ?? new Map<string, Spot>();
  const lines = problems.slice(0, toldProblems).map(({ path, what, atKey }) => {
    const { line, column } = lineAndColumn(text, startOf(spots, path, atKey === true));
    const name = path.length === 0 ? "" : `${path.map(String).join(".")} - `;
    return { line, column, text: `${file}:${line}:${column} ${name}${sanitize(what, 300)}` };
  });
  lines.sort((a, b) => a.line - b.line || a.column - b.column);
  const more = problems.length - lines.length;
  const told = [...lines.map((line) => line.text), ...(more > 0 ? [`and ${more} more`] : [])];
  return new Failure("CONFIG_INVALID", { file, problems: told.join("\n") });
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

/** Paths mean the same wherever the command is run from: they are relative to the file that names them. */
function absoluteBundleSpec(spec: BundleSpec, folder: string): BundleSpec {
  const at = (path: string): string => resolve(folder, path);
  const file = <F extends { path: string }>(entry: F): F => ({ ...entry, path: at(entry.path) });
  const source = (from: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(from) ? from : at(from));
  return {
    ...spec,
    charts: spec.charts.map((chart) => ({
      ...chart,
      from: source(chart.from),
      mirrors: chart.mirrors.map(source),
      valuesFiles: chart.valuesFiles.map(at),
      ...(chart.relocation === undefined ? {} : { relocation: at(chart.relocation) }),
    })),
    crds: spec.crds.map(file),
    manifests: spec.manifests.map(file),
    tools: Object.fromEntries(Object.entries(spec.tools).map(([name, tool]) => [name, file(tool)])),
    registries: absoluteRegistries(spec.registries, at),
  };
}

function absoluteSite(site: Site, folder: string): Site {
  const at = (path: string): string => resolve(folder, path);
  const { registry, pull, cluster } = site;
  return {
    ...site,
    registry: { ...registry, ...optional(registry, ["ca"], at), ...credentialsOf(registry, at) },
    pull: { ...pull, ...credentialsOf(pull, at) },
    cluster: { ...cluster, ...optional(cluster, ["kubeconfig"], at), ...programs(cluster, at) },
    valuesFiles: site.valuesFiles.map(at),
    releases: Object.fromEntries(
      Object.entries(site.releases).map(([name, own]) => [name, { ...own, valuesFiles: own.valuesFiles.map(at) }]),
    ),
    plugins: { ...site.plugins, manifests: site.plugins.manifests.map(at) },
    registries: absoluteRegistries(site.registries, at),
    trustKeys: site.trustKeys.map(at),
    stateDir: at(site.stateDir ?? "higress-airgap.state"),
  };
}

type At = (path: string) => string;

function absoluteRegistries(registries: Registries, at: At): Registries {
  const entries = Object.entries(registries).map(([host, { endpoints }]) => {
    const moved = endpoints.map((endpoint) => ({
      ...endpoint,
      ...optional(endpoint, ["ca"], at),
      ...credentialsOf(endpoint, at),
    }));
    return [host, { endpoints: moved }] as const;
  });
  return Object.fromEntries(entries);
}

function credentialsOf(
  owner: { readonly credentials?: CredentialsSource | undefined },
  at: At,
): { credentials?: CredentialsSource } {
  const { credentials } = owner;
  return credentials === undefined
    ? {}
    : { credentials: { ...credentials, ...optional(credentials, ["passwordFile"], at) } };
}

/** A program without a slash is looked up in PATH, as a shell does. */
function programs(cluster: Site["cluster"], at: At): { helm?: string; kubectl?: string } {
  const found = (program: string): string => (program.includes("/") ? at(program) : program);
  return optional(cluster, ["helm", "kubectl"], found);
}

/** The members of `owner` that are there, moved; absent ones stay absent. */
function optional<K extends string>(
  owner: Readonly<Partial<Record<K, unknown>>>,
  keys: readonly K[],
  at: At,
): Partial<Record<K, string>> {
  const present = keys.flatMap((key) => {
    const value = owner[key];
    return typeof value === "string" ? [[key, at(value)] as const] : [];
  });
  return Object.fromEntries(present) as Partial<Record<K, string>>;
}
