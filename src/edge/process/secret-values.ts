import type { KubeObject } from "../../model/kubernetes.ts";

/** Shorter texts would blank out half of any message, and are no secrets. */
const shortest = 4;

/**
 * Every text that Secrets among `documents` hold: encoded, decoded, and what stands inside of decoded JSON (a
 * docker config.json). For blanking them out of whatever a server answers.
 */
export function secretValues(documents: readonly KubeObject[]): readonly string[] {
  const found = new Set<string>();
  for (const document of documents.filter(({ kind }) => kind === "Secret")) {
    for (const value of stringsIn(document["data"])) {
      found.add(value);
      addDecoded(found, Buffer.from(value, "base64").toString("utf8"));
    }
    for (const value of stringsIn(document["stringData"])) addDecoded(found, value);
  }
  return [...found].filter((text) => text.length >= shortest).sort((a, b) => b.length - a.length);
}

function addDecoded(found: Set<string>, text: string): void {
  found.add(text);
  try {
    for (const value of stringsIn(JSON.parse(text))) found.add(value);
  } catch {
    // Not JSON: the text as a whole is the secret.
  }
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
