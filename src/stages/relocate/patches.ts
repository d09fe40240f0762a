import type { Exception, Patch, RelocationMap, RelocationTarget } from "../../model/relocation.ts";
import { identityOf, isMap, renderedDocuments, type RenderedObject } from "../../model/rendered-object.ts";
import { pathKey, spotsOf, type Spot, type Spots } from "../../std/yaml.ts";
import { fillText } from "./relocate.ts";
import { splice, type Edit } from "./wasm-plugin.ts";

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
  const documents = renderedDocuments(text);
  const spots = spotsOf(text);
  const edits = new Map<number, { readonly edit: Edit; readonly text: string }>();
  for (const [at, document] of documents.entries()) {
    if (!isMap(document)) continue;
    const { kind, name } = identityOf(document);
    for (const patch of patches.filter((each) => each.kind === kind && each.name === name))
      for (const { start, end } of scalarsAt(document, patch.path, spots[at] ?? new Map<string, Spot>())) {
        const before = edits.get(start)?.text ?? text.slice(start, end);
        const after = withWord(before, patch);
        if (after !== before) edits.set(start, { edit: { start, end, text: after }, text: after });
      }
  }
  return splice(
    text,
    [...edits.values()].map(({ edit }) => edit),
  );
}

/** Where the string of a JSON pointer stands in the text, for every entry that `*` means. */
function scalarsAt(document: RenderedObject, pointer: string, spots: Spots): readonly { start: number; end: number }[] {
  const [outer = ""] = pointer.split("!");
  const keys = outer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return pathsOf(document, keys, []).flatMap((path) => spots.get(pathKey(path))?.scalar ?? []);
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

/** `nginx:1.2` is not in `nginx:1.25`, and `a/nginx:1.2` is another image. */
function withWord(text: string, { from, to }: Patch): string {
  const literal = from.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
  return text.replaceAll(new RegExp(`(?<![\\w./@:-])${literal}(?![\\w/@.-]*\\w)`, "g"), () => to);
}
