// @ts-check
import { createHash } from "node:crypto";
import { posix } from "node:path";

/**
 * A key for each file that changes with the file and with everything that it imports, near or far. Typed rules look
 * through imports: a function that becomes async makes a fault in files that nobody touched, which a cache that goes by
 * a file's own bytes would not find.
 * @param {ReadonlyMap<string, string>} texts by path from the root, with `/`
 * @param {string} shared what decides about all of them: configuration, versions, ambient types
 * @returns {Map<string, string>}
 */
export function lintKeys(texts, shared) {
  const digests = new Map([...texts].map(([path, text]) => [path, createHash("sha256").update(text).digest("hex")]));
  const imports = new Map([...texts].map(([path, text]) => [path, importsOf(path, text)]));
  return new Map([...texts.keys()].map((path) => [path, keyOf(path, digests, imports, shared)]));
}

/** @param {string} path @param {string} text */
function importsOf(path, text) {
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)].map(([, to]) =>
    posix.join(posix.dirname(path), to ?? ""),
  );
}

/**
 * @param {string} path
 * @param {ReadonlyMap<string, string>} digests
 * @param {ReadonlyMap<string, readonly string[]>} imports
 * @param {string} shared
 */
function keyOf(path, digests, imports, shared) {
  const seen = new Set([path]);
  for (const each of seen) for (const to of imports.get(each) ?? []) if (digests.has(to)) seen.add(to);
  const hash = createHash("sha256").update(shared);
  for (const each of [...seen].sort()) hash.update(`${each} ${digests.get(each)}\n`);
  return hash.update(path).digest("hex");
}
