import { blobPrefix, Entry, type BundleDocument } from "../../model/bundle.ts";
import { hexOf } from "../../model/digest.ts";
import type { Refuse } from "./malformed.ts";
import { mtimeOf, placeOf } from "./plan.ts";
import { leading, type FoundEntry } from "./read-entries.ts";

interface Found {
  readonly entries: readonly FoundEntry[];
  readonly document: BundleDocument;
  readonly sums: ReadonlyMap<string, string>;
  readonly refuse: Refuse;
}

/**
 * Holds the headers against bundle.json and SHA256SUMS: the fixed order, one clock, every blob at the size that is
 * listed, nothing that is not listed. All of it from what was read already.
 */
export function checkEntries(found: Found): void {
  checkOrder(found);
  checkBlobs(found);
  checkSums(found);
  const { entries, document, refuse } = found;
  const mtime = mtimeOf(document.created);
  for (const entry of entries) if (entry.mtime !== mtime) throw refuse(entry.name, `mtime ${entry.mtime}`);
  const names = new Set(entries.map(({ name }) => name));
  for (const name of Object.keys(document.integrity)) if (!names.has(name)) throw refuse(name, "missing");
}

function checkOrder({ entries, refuse }: Found): void {
  let before = "";
  for (const [at, { name }] of entries.entries()) {
    const key = leading[at] === undefined ? orderOf(name) : "";
    if (name !== (leading[at] ?? name) || key < before) throw refuse(name, "order");
    before = key;
  }
  if (entries.length < leading.length) throw refuse("end", "order");
}

/** Files are sorted within their place; blobs follow bundle.json, which `checkBlobs` looks at. */
function orderOf(name: string): string {
  if (name === Entry.signature) return "0";
  return name.startsWith(blobPrefix) ? "2" : `1 ${placeOf(name)} ${name}`;
}

/** The blobs are those of bundle.json less those that a delta expects elsewhere, in that order and of that size. */
function checkBlobs({ entries, document, refuse }: Found): void {
  const absent = new Set(document.delta?.absent);
  const wanted = document.blobs.filter(({ digest }) => !absent.has(digest));
  const found = entries.filter(({ name }) => name.startsWith(blobPrefix));
  if (new Set(document.blobs.map(({ digest }) => digest)).size !== document.blobs.length)
    throw refuse(Entry.bundle, "blobs: twice");
  if (document.blobs.length - wanted.length !== absent.size) throw refuse(Entry.bundle, "delta.absent");
  for (const [at, { digest, size }] of wanted.entries()) {
    const entry = found[at];
    if (entry?.name !== blobPrefix + hexOf(digest)) throw refuse(entry?.name ?? "end", `wanted ${digest}`);
    if (entry.size !== size) throw refuse(entry.name, `${entry.size} B, bundle.json ${size} B`);
  }
  const more = found[wanted.length];
  if (more !== undefined) throw refuse(more.name, "not in bundle.json");
}

/** SHA256SUMS lists every entry but itself and its signature, in file order, and a blob's sum is its name. */
function checkSums({ entries, sums, refuse }: Found): void {
  const listed = [...sums.keys()];
  const covered = entries.filter(({ name }) => name !== Entry.sums && name !== Entry.signature);
  for (const [at, { name }] of covered.entries()) {
    if (listed[at] !== name) throw refuse(Entry.sums, `${listed[at] ?? "end"}: wanted ${name}`);
    const sum = sums.get(name);
    if (name.startsWith(blobPrefix) && name !== blobPrefix + (sum ?? "")) throw refuse(Entry.sums, name);
  }
  const more = listed[covered.length];
  if (more !== undefined) throw refuse(Entry.sums, `${more}: no such entry`);
}
