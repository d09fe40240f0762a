import { loadStrings, YamlError } from "../std/yaml.ts";
import type { Placed } from "./rendered-object.ts";

/** A ConfigMap that holds YAML that holds JSON is common; deeper than this nobody nests, and a hostile one must end. */
const maxDepth = 5;
const maxText = 4 * 1024 ** 2;

/**
 * Every string value of `node`, and of the JSON and YAML documents inside those strings, with its path:
 * `/data/values!/gatewayImage`. A string that is a document is given as its parts only, so a comment in it is no value.
 */
export function* embeddedStrings(node: unknown, path = "", depth = 0): Generator<Placed> {
  if (typeof node === "string") yield* textStrings(node, path, depth);
  else if (Array.isArray(node))
    for (const [at, value] of node.entries()) yield* embeddedStrings(value, `${path}/${at}`, depth);
  else if (typeof node === "object" && node !== null)
    for (const [key, value] of Object.entries(node)) yield* embeddedStrings(value, `${path}/${escape(key)}`, depth);
}

function* textStrings(value: string, path: string, depth: number): Generator<Placed> {
  const inner = depth < maxDepth && looksLikeDocument(value) ? documentsIn(value) : [];
  if (inner.length === 0) yield { path, value };
  else for (const document of inner) yield* embeddedStrings(document, `${path}!`, depth + 1);
}

function looksLikeDocument(text: string): boolean {
  return text.length <= maxText && (/^\s*[[{]/.test(text) || (text.includes("\n") && /[:-]\s/.test(text)));
}

/** Empty when the text is no document, or only partly one: then the text itself is what must be looked at. */
function documentsIn(text: string): readonly object[] {
  try {
    const found = loadStrings(text).filter((document) => document !== "" && document !== null);
    const objects = found.filter((document) => typeof document === "object" && document !== null);
    return objects.length === found.length ? objects : [];
  } catch (error) {
    if (error instanceof YamlError) return [];
    throw error;
  }
}

function escape(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
