import { encodedMark } from "../../model/inside.ts";
import {
  isNamed,
  type Exception,
  type Patch,
  type RelocationMap,
  type RelocationTarget,
  type Setting,
} from "../../model/relocation.ts";
import { identityOf, isMap, listedItems, renderedDocuments, type RenderedObject } from "../../model/rendered-object.ts";
import { isValues, mergeValues, nest, splitPath, type Values } from "../../model/values.ts";
import { unreachable } from "../../std/unreachable.ts";
import { pathKey, spotsOf, type Spots } from "../../std/yaml.ts";
import { splice, type Edit } from "./wasm-plugin.ts";

interface RelocationOptions {
  /** How gateway and console get plugins: from the registry, from a file server, or not from here. */
  readonly pluginMode: "oci" | "http" | "none";
}

/** The Helm values that move a chart to `target`. They go last, so that they win over everything. */
export function relocationValues(map: RelocationMap, target: RelocationTarget, options: RelocationOptions): Values {
  const settings = [
    ...map.images,
    ...map.offline,
    ...(target.pullSecret === undefined ? [] : map.pullSecrets),
    ...pluginSettings(map, options.pluginMode),
  ];
  return settings.reduce<Values>((values, { path, value }) => {
    const filled = fill(value, target);
    return filled === undefined ? values : mergeValues(values, nest(splitPath(path), filled));
  }, {});
}

function pluginSettings(map: RelocationMap, mode: RelocationOptions["pluginMode"]): readonly Setting[] {
  switch (mode) {
    case "oci":
    case "http":
      return map.plugins[mode];
    case "none":
      return [];
    default:
      return unreachable(mode);
  }
}

/** `${name}` and `${version}` belong to the console: a placeholder of ours has no `$` before it. */
const placeholder = /(?<!\$)\{(prefix|registry|project|namespace|pullSecret|pluginServer|plugin:[\w.+-]+)\}/g;

/** `undefined` when the value needs something that this site does not have, such as a plugin that was not carried. */
function fill(value: unknown, target: RelocationTarget): unknown {
  if (typeof value === "string") return fillText(value, target);
  if (Array.isArray(value)) return value.map((entry) => fill(entry, target)).filter((entry) => entry !== undefined);
  if (!isValues(value)) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, fill(entry, target)] as const);
  return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined));
}

/** `undefined` when the text needs something that this site does not have. */
function fillText(text: string, target: RelocationTarget): string | undefined {
  const names = [...text.matchAll(placeholder)].map(([, name = ""]) => name);
  if (names.some((name) => valueOf(name, target) === undefined)) return undefined;
  return text.replaceAll(placeholder, (_, name: string) => valueOf(name, target) ?? "");
}

function valueOf(name: string, target: RelocationTarget): string | undefined {
  if (name.startsWith("plugin:")) return target.plugins.get(name.slice("plugin:".length));
  const { prefix, registry, project, namespace, pullSecret, pluginServer } = target;
  return new Map(Object.entries({ prefix, registry, project, namespace, pullSecret, pluginServer })).get(name);
}

/** The patches of a map as they are on one site; one that needs what this site lacks is left out. */
export function relocationPatches(map: RelocationMap, target: RelocationTarget, release: string): readonly Patch[] {
  return map.patches.flatMap((patch) => {
    const to = fillText(patch.to, target);
    return to === undefined ? [] : [{ ...patch, to, name: patch.name.replaceAll("{release}", release) }];
  });
}

/** The exceptions of a map as they are for one release. */
export function relocationExceptions({ exceptions }: RelocationMap, release: string): readonly Exception[] {
  return exceptions.map((each) => ({ ...each, name: each.name.replaceAll("{release}", release) }));
}

/**
 * Replaces what no value reaches in rendered manifests. Only the strings that a patch names change: a manifest that was
 * read and printed again would not be what the chart made. A patch whose object is not rendered changes nothing.
 */
export function patchManifest(text: string, patches: readonly Patch[]): string {
  const spots = spotsOf(text);
  const edits = new Map<number, Edit>();
  for (const { object, document, at } of renderedDocuments(text).flatMap(placedObjects)) {
    const identity = identityOf(object);
    for (const patch of patches.filter((each) => isNamed(identity, each)))
      for (const { start, end, encoded } of scalarsAt(object, patch.path, at, spots[document] ?? new Map())) {
        const before = edits.get(start)?.text ?? text.slice(start, end);
        const after = encoded ? withEncodedWord(before, patch) : withWord(before, patch);
        if (after !== before) edits.set(start, { start, end, text: after });
      }
  }
  return splice(text, [...edits.values()]);
}

interface PlacedObject {
  readonly object: RenderedObject;
  /** Which document of the text it stands in, and where. */
  readonly document: number;
  readonly at: readonly PropertyKey[];
}

/** A document is an object, or a list of them. */
function placedObjects(node: unknown, document: number): readonly PlacedObject[] {
  if (!isMap(node)) return [];
  const items = listedItems(node);
  if (items === undefined) return [{ object: node, document, at: [] }];
  return items.flatMap((object, index) => (isMap(object) ? [{ object, document, at: ["items", index] }] : []));
}

interface ScalarSpan {
  readonly start: number;
  readonly end: number;
  readonly encoded: boolean;
}

/** Where the string of a JSON pointer stands in the text, for every entry that `*` means. */
function scalarsAt(
  object: RenderedObject,
  pointer: string,
  at: readonly PropertyKey[],
  spots: Spots,
): readonly ScalarSpan[] {
  const [outer = ""] = pointer.split("!");
  const encoded = outer.endsWith(encodedMark);
  const keys = (encoded ? outer.slice(0, -encodedMark.length) : outer)
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return pathsOf(object, keys, []).flatMap((path) => {
    const scalar = spots.get(pathKey([...at, ...path]))?.scalar;
    return scalar === undefined ? [] : [{ start: scalar.start, end: scalar.end, encoded }];
  });
}

function pathsOf(node: unknown, keys: readonly string[], path: readonly PropertyKey[]): readonly PropertyKey[][] {
  const [key, ...rest] = keys;
  if (key === undefined) return typeof node === "string" ? [[...path]] : [];
  if (Array.isArray(node)) {
    const entries = key === "*" ? [...node.keys()] : [Number(key)].filter((at) => at in node);
    return entries.flatMap((at) => pathsOf(node[at], rest, [...path, at]));
  }
  return isMap(node) && Object.hasOwn(node, key) ? pathsOf(node[key], rest, [...path, key]) : [];
}

/** `nginx:1.2` is not in `nginx:1.25`, and `a/nginx:1.2` is another image; of a registry alone, everything below it moves. */
function withWord(text: string, { from, to }: Patch): string {
  const literal = from.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
  const isHost = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?$/.test(from) && !to.endsWith(":latest");
  const end = isHost ? String.raw`(?![\w@:.-]*\w)` : String.raw`(?![\w/@.-]*\w)`;
  return text.replaceAll(new RegExp(String.raw`(?<![\w./@:-])${literal}${end}`, "g"), () => to);
}

/** What a Secret holds behind base64 is replaced there, and encoded again. */
function withEncodedWord(text: string, patch: Patch): string {
  return text.replace(/[A-Za-z0-9+/]{4,}={0,2}/, (base64) =>
    Buffer.from(withWord(Buffer.from(base64, "base64").toString("utf8"), patch)).toString("base64"),
  );
}
