import { gunzipSync, gzipSync } from "node:zlib";
import { readChart } from "../../src/edge/charts/read.ts";
import { parseRelocationMap } from "../../src/edge/files/config.ts";
import { Entry } from "../../src/model/bundle.ts";
import { Site } from "../../src/model/site.ts";
import { planInstall } from "../../src/pipeline/install-plan.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import { wrongDocuments } from "../../src/stages/documents/documents.ts";
import { canonicalJson, type Json } from "../../src/std/canonical-json.ts";
import { encodeHeader, tarBlock, tarPadding } from "../../src/std/ustar.ts";
import { describeFinding } from "../../src/ui/failure.ts";
import { MemorySource } from "./bundle-memory.ts";

const site = Site.parse({
  apiVersion: "higress-airgap/v1",
  kind: "Site",
  registry: { host: "harbor.corp.example", project: "higress" },
});

/** A value as text: two are one thing exactly when these are. Maps and sets are lists, what is left out is left out. */
function plain(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Map || inner instanceof Set ? ([...inner] as unknown[]) : inner,
  );
  return canonicalJson(JSON.parse(text) as Json);
}

/**
 * All that commands take from a bundle: the plan of its install, its blobs, and each of its files; `undefined` when a
 * document of it is wrong. Provenance and sums are not in it: nothing is made of those.
 */
export async function meaningOf(bytes: Buffer): Promise<string | undefined> {
  await using bundle = await openBundle(new MemorySource(bytes));
  const found = await wrongDocuments(bundle, { readChart, parseRelocation: parseRelocationMap });
  for (const each of found)
    if (/\bundefined|\[object/i.test(describeFinding(each, "zh").message)) throw new Error(JSON.stringify(each));
  if (found.length > 0) return undefined;
  const plan = await planInstall(bundle, site, { parseRelocation: parseRelocationMap, userValues: [] });
  const derived = new Set<string>([Entry.bundle, Entry.sums, Entry.index, Entry.layout, Entry.lock]);
  const files: string[] = [];
  for (const name of bundle.entries.keys())
    if (!name.startsWith("blobs/") && !derived.has(name))
      files.push(`${name} ${(await bundle.readFile(name)).toString("base64")}`);
  // A blob is what its manifest says; the media type in the list of all of them is for people.
  const { tool, integrity, blobs, ...document } = bundle.document;
  if (tool.name === "" || Object.keys(integrity).length === 0) throw new Error("no provenance");
  const listed = blobs.map(({ digest, size }) => ({ digest, size }));
  return plain({ document, listed, plan, files });
}

/**
 * Whether `read` says all that `said` says, and the same; a reader may add what is left out, never lose or change a word.
 * `__proto__` is no word: no schema reads it.
 */
export function covers(read: unknown, said: unknown): boolean {
  if (Array.isArray(said))
    return Array.isArray(read) && read.length === said.length && said.every((each, at) => covers(read[at], each));
  if (typeof said !== "object" || said === null) return Object.is(read, said);
  if (typeof read !== "object" || read === null) return false;
  const words = Object.entries(said).filter(([key]) => key !== "__proto__");
  return words.every(([key, value]) => Object.hasOwn(read, key) && covers(Reflect.get(read, key), value));
}

/** A packed chart with one file of it changed. */
export function repacked(archive: Buffer, path: string, change: (text: string) => string): Buffer {
  const tar = gunzipSync(archive);
  const parts: Buffer[] = [];
  for (let at = 0; tar[at] !== 0 && at < tar.byteLength;) {
    const name = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8);
    const content = tar.subarray(at + tarBlock, at + tarBlock + size);
    const put = name === path ? Buffer.from(change(content.toString("utf8"))) : content;
    const header = encodeHeader({ name, size: put.byteLength, mode: 0o644, mtime: 0 });
    parts.push(header, put, Buffer.alloc(tarPadding(put.byteLength)));
    at += tarBlock + size + tarPadding(size);
  }
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * tarBlock)]));
}
