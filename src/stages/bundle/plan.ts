import { createHash } from "node:crypto";
import ssri from "ssri";
import type { Fetcher } from "../../content/store.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import {
  blobPrefix,
  BundleDocument,
  Entry,
  entryPlace,
  entryTime,
  formatVersion,
  layoutIndex,
  layoutVersion,
  limits,
  programPrefix,
} from "../../model/bundle.ts";
import { maxBlobSize } from "../../model/descriptor.ts";
import { hexOf, type Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { problemLines } from "../../model/carried.ts";
import { Lock } from "../../model/lock.ts";
import { isAllowedEntry } from "../../model/names.ts";
import { encodeHeader, endOfArchive, tarBlock, tarPadding } from "../../std/ustar.ts";
import type { LargeFile, OpenAt, PackInput, PlannedBlob, SmallFile } from "./ports.ts";

/** What an entry holds: bytes that are here, or a stream whose length and sha256 are known. */
type EntryContent = BytesContent | StreamContent;

interface Named {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly mode?: number | undefined;
}

interface BytesContent extends Named {
  readonly kind: "bytes";
  readonly bytes: Uint8Array;
}

interface StreamContent extends Named {
  readonly kind: "stream";
  /** Empty for a file. */
  readonly host: string;
  readonly names: readonly string[];
  readonly open: OpenAt;
}

/** A content in its place. */
type PlacedEntry<C extends EntryContent> = C & {
  /** Of its content; the header stands before it. */
  readonly offset: number;
  readonly header: Buffer;
};

/** A stretch of the file. Segments follow each other without gaps from the first byte to the last. */
export type Segment =
  | { readonly kind: "bytes"; readonly offset: number; readonly size: number; readonly chunks: readonly Uint8Array[] }
  | StreamSegment;

/** A streamed entry with its header before it and its padding after. */
export interface StreamSegment {
  readonly kind: "stream";
  readonly offset: number;
  readonly size: number;
  readonly entry: PlacedEntry<StreamContent>;
}

interface Layout {
  readonly size: number;
  readonly entries: readonly PlacedEntry<EntryContent>[];
  readonly segments: readonly Segment[];
}

export interface BundlePlan extends Layout {
  /** Equal plans have equal layouts and equal contents but for the signature's bytes. */
  readonly id: string;
  readonly document: BundleDocument;
  /** sha256 of bundle.json: what volumes and deltas call this bundle. */
  readonly bundle: string;
  /** SHA256SUMS. */
  readonly sums: Buffer;
}

/**
 * Lays a bundle out. Every size is known from descriptors, so every offset is known before the first byte is fetched:
 * blobs may then arrive in any order, and the file is the same.
 * @throws Failure USAGE for a name that may not be in a bundle, or is there twice; CONFIG_INVALID for what no reader would take
 */
export function planBundle(input: PackInput): BundlePlan {
  const carried = input.blobs.filter(({ descriptor }) => input.delta?.absent.has(descriptor.digest) !== true);
  const layout = inMemory(Entry.layout, `${JSON.stringify(layoutVersion)}\n`);
  const index = inMemory(Entry.index, canonicalJson(layoutIndex(input.lock.items)));
  const files = [...input.files.map(smallContent), ...input.largeFiles.map(largeContent)];
  const small = [layout, index, ...files].filter((content) => content.kind === "bytes");
  const document = documentOf(input, new Map(small.map(({ name, bytes }) => [name, bytes])));
  const bundle = inMemory(Entry.bundle, canonicalJson(document));
  const others = [layout, bundle, index, ...files.sort(byPlace), ...carried.map(blobContent)];
  const sums = Buffer.from(others.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(""));
  const signature = input.sign?.(sums);
  const signed = signature === undefined ? [] : [inMemory(Entry.signature, signature)];
  const contents = [...others.slice(0, 3), inMemory(Entry.sums, sums), ...signed, ...others.slice(3)];
  const arranged = arrange(contents, entryTime(input.lock.created));
  refuseUnreadable(input.lock, document);
  return {
    ...arranged,
    id: sha256(Buffer.concat([sums, Buffer.from(`signature ${signature?.byteLength ?? 0}`)])),
    document,
    bundle: bundle.sha256,
    sums,
  };
}

/** The blobs of what was planned, from where packing would fetch them. */
export function plannedContent({ blobs }: PackInput): Fetcher & { hasBlob(digest: Digest): boolean } {
  const planned = new Map(blobs.map((blob) => [blob.descriptor.digest, blob]));
  return {
    hasBlob: (digest) => planned.has(digest),
    async *fetch({ digest }, { offset = 0, signal } = {}) {
      const blob = planned.get(digest);
      if (blob !== undefined) yield* blob.open(offset, signal ?? new AbortController().signal);
    },
  };
}

/** Whoever writes a document is held to the schema of whoever reads it: what cannot be opened again is not built. */
function refuseUnreadable(lock: Lock, document: BundleDocument): void {
  for (const [file, parsed] of [
    [Entry.lock, Lock.safeParse(lock)],
    [Entry.bundle, BundleDocument.safeParse(document)],
  ] as const) {
    if (parsed.success) continue;
    throw new Failure("CONFIG_INVALID", { file, problems: problemLines(parsed.error) });
  }
}

function documentOf({ lock, blobs, tool, delta }: PackInput, small: ReadonlyMap<string, Uint8Array>): BundleDocument {
  const absent = delta && blobs.map(({ descriptor }) => descriptor.digest).filter((digest) => delta.absent.has(digest));
  return {
    formatVersion,
    tool: { name: tool.name, version: tool.version },
    name: lock.name,
    version: lock.version,
    created: lock.created,
    platforms: [...lock.platforms],
    kubeVersion: lock.kubeVersion,
    items: [...lock.items],
    blobs: blobs.map(({ descriptor: { digest, size, mediaType } }) => ({ digest, size, mediaType })),
    integrity: Object.fromEntries(
      [...small].map(([name, bytes]) => [
        name,
        ssri.fromData(Buffer.from(bytes), { algorithms: ["sha512"] }).toString(),
      ]),
    ),
    ...(delta === undefined || absent === undefined ? {} : { delta: { base: delta.base, absent } }),
  };
}

function byPlace(a: EntryContent, b: EntryContent): number {
  return entryPlace(a.name) - entryPlace(b.name) || (a.name < b.name ? -1 : 1);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function inMemory(name: string, data: string | Uint8Array, mode?: number) {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  return { kind: "bytes", name, bytes, size: bytes.byteLength, sha256: sha256(bytes), mode } as const;
}

function smallContent({ name, bytes, mode }: SmallFile): EntryContent {
  return inMemory(name, bytes, mode);
}

function largeContent(file: LargeFile): EntryContent {
  return { ...file, kind: "stream", host: "", names: [file.name] };
}

function blobContent(blob: PlannedBlob): EntryContent {
  const { digest, size } = blob.descriptor;
  const { host, names, open } = blob;
  return { kind: "stream", name: blobPrefix + hexOf(digest), size, sha256: hexOf(digest), host, names, open };
}

/** Gives every entry its header and its place. @throws Failure USAGE */
function arrange(contents: readonly EntryContent[], mtime: number): Layout {
  const entries: PlacedEntry<EntryContent>[] = [];
  const segments: Segment[] = [];
  const seen = new Set<string>();
  let offset = 0;
  let here: { at: number; chunks: Uint8Array[] } = { at: 0, chunks: [] };
  const close = (): void => {
    if (offset > here.at)
      segments.push({ kind: "bytes", offset: here.at, size: offset - here.at, chunks: here.chunks });
  };
  for (const content of contents) {
    refuseUnusable(content, seen);
    const { name, size, mode = modeOf(name) } = content;
    const header = encodeHeader({ name, size, mode, mtime });
    const whole = tarBlock + size + tarPadding(size);
    const place = { offset: offset + tarBlock, header };
    entries.push({ ...content, ...place });
    if (content.kind === "stream") {
      close();
      segments.push({ kind: "stream", offset, size: whole, entry: { ...content, ...place } });
      here = { at: offset + whole, chunks: [] };
    } else {
      here.chunks.push(header, content.bytes, Buffer.alloc(tarPadding(size)));
    }
    offset += whole;
  }
  here.chunks.push(Buffer.alloc(endOfArchive));
  offset += endOfArchive;
  close();
  return { size: offset, entries, segments };
}

/** Only what runs is executable, whatever mode it had where it came from. */
function modeOf(name: string): number {
  return name.startsWith(programPrefix) || name === "install.sh" ? 0o755 : 0o644;
}

function refuseUnusable({ kind, name, size }: EntryContent, seen: Set<string>): void {
  const bound = kind === "stream" ? maxBlobSize : limits.smallFile;
  // Up to 155 characters every name fits the header's two name fields, wherever its slashes are.
  if (!isAllowedEntry(name) || name.length > 155)
    throw new Failure("USAGE", { what: `bundle entry ${JSON.stringify(name.slice(0, 200))}` });
  if (seen.has(name)) throw new Failure("USAGE", { what: `bundle entry ${name}: twice` });
  if (!Number.isSafeInteger(size) || size < 0 || size > bound)
    throw new Failure("USAGE", { what: `bundle entry ${name}: ${size} B > ${bound} B` });
  if (kind === "bytes" && name.startsWith(blobPrefix)) throw new Failure("USAGE", { what: `bundle entry ${name}` });
  seen.add(name);
  if (seen.size > limits.entries) throw new Failure("USAGE", { what: `> ${limits.entries} bundle entries` });
}
