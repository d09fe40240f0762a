import { mergeValues, isValues, type ChartValues, type Values, type ValuesPath } from "../../model/values.ts";
import { loadTypedLoosely, YamlError } from "../../std/yaml.ts";
import { bounds, decode, Spent, subchartPath, unpack, unusable } from "./read.ts";

const wanted = [
  /(?:^|\/)(?:Chart|values|requirements)\.yaml$/,
  /^[^/]+\/(?:charts\/[^/]+\/)*templates\/.+\.(?:ya?ml|tpl|txt)$/,
  subchartPath,
];

/**
 * What a packed chart and its subcharts say of their values, from memory, as they are seen from the top: a subchart's
 * stand below its name (or its alias), and `global` is everybody's.
 * @throws Failure CHART_UNUSABLE
 */
export async function readChartValues(bytes: Uint8Array, what = "chart"): Promise<ChartValues> {
  const top = topOf(what);
  const folder = await folderOf(bytes, top);
  const { defaults, read } = await valuesOf(folder, top);
  const byName = new Map(read.map((path) => [path.join("\0"), path]));
  const asksKubeVersion = (await templatesIn(folder, topOf(what))).some((text) =>
    /\.Capabilities\.KubeVersion\b/.test(text),
  );
  return { defaults, read: [...byName.values()], ...(asksKubeVersion ? { asksKubeVersion } : {}) };
}

/**
 * What templates ask of a cluster and not of values, as the flags of `helm template` that answer otherwise than it does by
 * itself: APIs that are not Kubernetes' own (those have a group with a dot), and whether it is an upgrade.
 * @throws Failure CHART_UNUSABLE
 */
export async function readClusterFlags(bytes: Uint8Array, what = "chart"): Promise<readonly (readonly string[])[]> {
  const text = (await templateTexts(bytes, what)).join("\n");
  const asked = [...text.matchAll(/\.APIVersions\.Has\s*\(?\s*"([\w-]+\.[\w./-]+)"/g)].map(([, api = ""]) => api);
  const apis = [...new Set(asked)].sort().flatMap((api) => ["--api-versions", api]);
  return [
    ...(apis.length === 0 ? [] : [apis]),
    ...(/\.Release\.Is(?:Upgrade|Install)\b/.test(text) ? [["--is-upgrade"]] : []),
  ];
}

/** What the templates of a packed chart and its subcharts say. @throws Failure CHART_UNUSABLE */
export async function templateTexts(bytes: Uint8Array, what: string): Promise<readonly string[]> {
  const top = topOf(what);
  return templatesIn(await folderOf(bytes, top), top);
}

async function templatesIn(folder: Folder, place: Place): Promise<readonly string[]> {
  if (place.depth > bounds.depth) throw unusable(place.what, `subcharts deeper than ${bounds.depth}`);
  const own = [...folder]
    .filter(([path]) => path.startsWith("templates/"))
    .map(([path, content]) => decode(content, `${place.what} ${path}`));
  const inner = await Promise.all(
    (await subcharts(folder, place)).map(({ name, files }) =>
      templatesIn(files, { ...place, what: `${place.what} ${name}`, depth: place.depth + 1 }),
    ),
  );
  return [...own, ...inner.flat()];
}

/** Files of one chart by their path in it. */
type Folder = ReadonlyMap<string, Uint8Array>;

interface Place {
  readonly at: ValuesPath;
  readonly what: string;
  readonly depth: number;
  readonly spent: Spent;
}

function topOf(what: string): Place {
  return { at: [], what, depth: 0, spent: new Spent() };
}

async function folderOf(bytes: Uint8Array, { what, spent }: Pick<Place, "what" | "spent">): Promise<Folder> {
  const { files } = await unpack(bytes, what, wanted, spent);
  return new Map([...files].map(([path, content]) => [path.slice(path.indexOf("/") + 1), content]));
}

async function valuesOf(folder: Folder, place: Place): Promise<ChartValues> {
  if (place.depth > bounds.depth) throw unusable(place.what, `subcharts deeper than ${bounds.depth}`);
  const own = mapIn(folder, "values.yaml", place.what);
  const dependencies = dependenciesOf(folder, place.what);
  const read = [...templatePaths(folder, place), ...dependencies.flatMap(conditionsOf)].map((path) =>
    fromTop(path, place.at),
  );
  let defaults: Values = {};
  for (const { name, files } of await subcharts(folder, place)) {
    const keys = dependencies.filter((each) => each["name"] === name).map((each) => textOf(each["alias"]) ?? name);
    for (const key of new Set(keys.length === 0 ? [name] : keys)) {
      const inner = await valuesOf(files, {
        ...place,
        at: [...place.at, key],
        what: `${place.what} ${key}`,
        depth: place.depth + 1,
      });
      const { global, ...rest } = inner.defaults;
      defaults = mergeValues(defaults, { [key]: rest }, isValues(global) ? { global } : {});
      read.push(...inner.read);
    }
  }
  return { defaults: mergeValues(defaults, own), read };
}

function fromTop(path: ValuesPath, at: ValuesPath): ValuesPath {
  return path[0] === "global" ? path : [...at, ...path];
}

async function subcharts(folder: Folder, { what, spent }: Place): Promise<readonly { name: string; files: Folder }[]> {
  const folders = new Map<string, Map<string, Uint8Array>>();
  const found: { name: string; files: Folder }[] = [];
  for (const [path, content] of folder) {
    const [, name = "", rest] = /^charts\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
    if (rest !== undefined) folders.set(name, (folders.get(name) ?? new Map<string, Uint8Array>()).set(rest, content));
    else if (name.endsWith(".tgz")) {
      const files = await folderOf(content, { what: `${what} ${path}`, spent });
      found.push({ name: nameOf(files, name.slice(0, -".tgz".length), what), files });
    }
  }
  return [...found, ...[...folders].map(([name, files]) => ({ name: nameOf(files, name, what), files }))];
}

function nameOf(folder: Folder, otherwise: string, what: string): string {
  return textOf(mapIn(folder, "Chart.yaml", what)["name"]) ?? otherwise;
}

/** Of `Chart.yaml`, or of `requirements.yaml`, where charts of apiVersion v1 have them. */
function dependenciesOf(folder: Folder, what: string): readonly Values[] {
  return ["Chart.yaml", "requirements.yaml"].flatMap((file) => {
    const { dependencies } = mapIn(folder, file, what);
    return Array.isArray(dependencies) ? dependencies.filter(isValues) : [];
  });
}

/** `condition: redis.enabled,global.redis.enabled`. */
function conditionsOf({ condition }: Values): readonly ValuesPath[] {
  return (textOf(condition) ?? "")
    .split(",")
    .map((path) => path.trim())
    .filter((path) => path !== "")
    .map((path) => path.split("."));
}

/** `.Values.a.b`, and `$x.b` where the same file says `$x := .Values.a`. */
function templatePaths(folder: Folder, { what }: Place): readonly ValuesPath[] {
  return [...folder]
    .filter(([path]) => path.startsWith("templates/"))
    .flatMap(([path, content]) => {
      const text = decode(content, `${what} ${path}`);
      const direct = [...text.matchAll(/\.Values\.([A-Za-z_][\w.]*)/g)].map(([, found = ""]) => keysOf(found));
      const variables = variablesIn(text);
      const uses = new Set([...text.matchAll(/\$\w+\.[A-Za-z_][\w.]*/g)].map(([use]) => use.slice(1)));
      const through = [...uses].flatMap((use) => {
        const [name = "", ...keys] = keysOf(use);
        return [...(variables.get(name) ?? [])].map((base) => [...keysOf(base), ...keys]);
      });
      return [...direct, ...through];
    });
}

/** Enough for one variable in one file; more are made up. */
const mostBases = 20;

/** By the name of a variable what it may stand for. Bounded, as all of a chart: no part of the text is gone over twice. */
function variablesIn(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const variables = new Map<string, Set<string>>();
  const assigned = /\$(\w{1,100})\s{0,20}:=(?:(?!:=)[^}])*?\.Values\.([A-Za-z_][\w.]{0,300})\s{0,20}-?\}\}/g;
  for (const [, name = "", base = ""] of text.matchAll(assigned)) {
    const bases = variables.get(name) ?? new Set();
    if (bases.size < mostBases) variables.set(name, bases.add(base));
  }
  return variables;
}

function keysOf(path: string): ValuesPath {
  return path.split(".").filter((key) => key !== "");
}

function mapIn(folder: Folder, file: string, what: string): Values {
  const content = folder.get(file);
  if (content === undefined) return {};
  const text = decode(content, `${what} ${file}`);
  try {
    const [document] = loadAsHelm(text);
    return isValues(document) ? document : {};
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw unusable(what, `${file}:${error.line}:${error.column} ${error.message}`);
  }
}

/** Helm's reader lets a flow collection end at the indentation of its key (higress-core 2.0.0 does); YAML 1.2 does not. */
function loadAsHelm(text: string): readonly unknown[] {
  try {
    return loadTypedLoosely(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const deeper = text.replaceAll(/^([ \t]*)(?=[}\]][}\], \t\r]*$)/gm, (indent) => `${" ".repeat(64)}${indent}`);
    if (deeper === text) throw error;
    return loadTypedLoosely(deeper);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
