import type { Finding } from "../../model/finding.ts";
import {
  isMap,
  itemsAt,
  mapAt,
  renderedDocuments,
  textAt,
  whereOf,
  type RenderedObject,
} from "../../model/rendered-object.ts";
import { isWasmPlugin, unknownFields } from "../../model/wasm-plugin.ts";
import { pathKey, spotsOf, type Spot, type Spots } from "../../std/yaml.ts";

export interface WasmPluginOptions {
  /** Where a URL's module is on this site, and its digest there (hex); `undefined` leaves the plugin as it is. */
  readonly targetOf: (url: string) => { readonly url: string; readonly sha256?: string | undefined } | undefined;
  /** Set on every plugin that is now fetched from a registry. */
  readonly pullSecret?: string | undefined;
}

export interface RewrittenManifest {
  readonly text: string;
  readonly findings: readonly Finding[];
  readonly moved: readonly { readonly plugin: string; readonly from: string; readonly to: string }[];
}

/** A WasmPlugin and where its text is. */
interface PlacedPlugin {
  readonly text: string;
  readonly object: RenderedObject;
  readonly spots: Spots;
  readonly path: readonly PropertyKey[];
}

/**
 * Repoints the WasmPlugins of a manifest. Only the values that change are replaced in the text: comments, quotes and
 * every other document stay as their author wrote them. Rewriting twice is rewriting once.
 */
export function rewriteWasmPlugins(text: string, options: WasmPluginOptions): RewrittenManifest {
  const plugins = pluginsIn(text);
  const results = plugins.map((plugin) => {
    const url = textAt(mapAt(plugin.object, "spec"), "url");
    const target = url === undefined ? undefined : options.targetOf(url);
    if (url === undefined || target === undefined) return { edits: [], moved: [] };
    const moved = [{ plugin: whereOf(plugin.object), from: url, to: target.url }];
    return { edits: editsOf(plugin, target, options), moved };
  });
  return {
    text: splice(
      text,
      results.flatMap(({ edits }) => edits),
    ),
    findings: plugins.flatMap(({ object }) => unknownFields(object, whereOf(object))),
    moved: results.flatMap(({ moved }) => moved),
  };
}

function pluginsIn(text: string): readonly PlacedPlugin[] {
  const documents = renderedDocuments(text);
  const spots = spotsOf(text);
  return documents.flatMap((document, at) => {
    if (!isMap(document)) return [];
    const items = itemsAt(document, "items").map((object, item) => ({ object, path: ["items", item] }));
    return [{ object: document, path: [] }, ...items]
      .filter(({ object }) => isWasmPlugin(object))
      .map((plugin) => ({ ...plugin, text, spots: spots[at] ?? new Map<string, Spot>() }));
  });
}

type Target = NonNullable<ReturnType<WasmPluginOptions["targetOf"]>>;

function editsOf(plugin: PlacedPlugin, target: Target, options: WasmPluginOptions): readonly Edit[] {
  const registry = !/^https?:/i.test(target.url);
  const wanted: readonly (readonly [field: string, value: string | undefined, add: boolean])[] = [
    // Where it stands behind a merge (`<<`), one of its own wins over it.
    ["url", target.url, true],
    // A digest that was never said is not added: it would have to be kept up to date from then on.
    ["sha256", target.sha256, false],
    ["imagePullSecret", registry ? options.pullSecret : undefined, true],
  ];
  const spec = mapAt(plugin.object, "spec");
  return wanted.flatMap(([field, value, add]) => {
    if (value === undefined || spec[field] === value) return [];
    const spot = spotOf(plugin, field);
    if (spot?.scalar !== undefined) return [replaced(plugin.text, spot.scalar, value)];
    if (!add || spot !== undefined) return [];
    return spotOf(plugin, "url") === undefined
      ? addedBeforeMerge(plugin, `${field}: `, value)
      : addedAfterUrl(plugin, `${field}: `, value);
  });
}

function spotOf({ spots, path }: PlacedPlugin, field: string): Spot | undefined {
  return spots.get(pathKey([...path, "spec", field]));
}

function replaced(text: string, { start, end, block }: NonNullable<Spot["scalar"]>, value: string): Edit {
  const before = text.slice(start, end);
  if (block) return { start, end, text: `${/^[ \t]*/.exec(before)?.[0] ?? ""}${value}\n` };
  const gap = start === end && text[start - 1] === ":" ? " " : "";
  return { start, end, text: gap + scalar(value, before) };
}

/** A new field goes on the line after `url`; in JSON and flow maps right behind it. */
function addedAfterUrl(plugin: PlacedPlugin, field: string, value: string): readonly Edit[] {
  const url = spotOf(plugin, "url");
  if (url?.scalar === undefined || url.key === undefined) return [];
  const { text } = plugin;
  const flow = text[plugin.spots.get(pathKey([...plugin.path, "spec"]))?.start ?? -1] === "{";
  if (flow) {
    const quoted = text[url.key.start] === '"';
    const key = quoted ? `${JSON.stringify(field.slice(0, -2))}: ` : field;
    return [insertion(url.scalar.end, `, ${key}${quoted ? JSON.stringify(value) : scalar(value)}`)];
  }
  const indent = " ".repeat(url.key.start - text.lastIndexOf("\n", url.key.start - 1) - 1);
  const line = `${indent}${field}${scalar(value)}`;
  if (url.scalar.block) return [insertion(url.scalar.end, `${line}\n`)];
  const newline = text.indexOf("\n", url.scalar.end);
  return [insertion(newline < 0 ? text.length : newline, `\n${line}`)];
}

/** A key of the map itself wins over one that `<<` merges into it (https://yaml.org/type/merge.html). */
function addedBeforeMerge(plugin: PlacedPlugin, field: string, value: string): readonly Edit[] {
  const merge = spotOf(plugin, "<<")?.key;
  if (merge === undefined) return [];
  const { text } = plugin;
  const indent = text.slice(text.lastIndexOf("\n", merge.start - 1) + 1, merge.start);
  const said = `${field}${scalar(value)}`;
  return [insertion(merge.start, /^\s*$/.test(indent) ? `${said}\n${indent}` : `${said}, `)];
}

function insertion(at: number, text: string): Edit {
  return { start: at, end: at, text };
}

/** Replaces `[start, end)` of a text; an insertion has `start === end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Makes all edits at once: the offsets of each are those of the original text. They must not overlap. */
export function splice(text: string, edits: readonly Edit[]): string {
  const inOrder = edits.map((edit, at) => ({ edit, at })).sort((a, b) => a.edit.start - b.edit.start || a.at - b.at);
  let done = 0;
  const parts = inOrder.map(({ edit }) => {
    const part = text.slice(done, edit.start) + edit.text;
    done = edit.end;
    return part;
  });
  return parts.join("") + text.slice(done);
}

/** A scalar that every YAML reader takes for this string, quoted as the one that it replaces. */
function scalar(value: string, like = ""): string {
  if (like.startsWith("'")) return `'${value.replaceAll("'", "''")}'`;
  const plain = /^[A-Za-z][\w./:@+-]*$/.test(value) && !value.endsWith(":") && !reserved.test(value);
  return plain && !like.startsWith('"') ? value : JSON.stringify(value);
}

const reserved = /^(null|true|false|yes|no|on|off|y|n)$/i;
