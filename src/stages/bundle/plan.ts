import { createHash } from "node:crypto";
import ssri from "ssri";
import type { Fetcher } from "../../content/store.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { blobPrefix, Entry, formatVersion, layoutIndex, layoutVersion, BundleDocument } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { hexOf, type Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { problemLines } from "../../model/carried.ts";
import { Lock } from "../../model/lock.ts";
import { arrange, type EntryContent, type Layout, type StreamContent } from "./layout.ts";

/** A file that is small enough to be in memory: charts, CRDs, manifests, the installer script. */
export interface SmallFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode?: number | undefined;
}

/** A file that is streamed: what stands under `bin/`. */
export type LargeFile = Omit<StreamContent, "kind" | "host" | "names">;

export interface PlannedBlob extends Pick<StreamContent, "host" | "names" | "open"> {
  readonly descriptor: Descriptor;
}

export interface PackInput {
  readonly lock: Lock;
  /** Every blob of every item in lock order, each digest once, manifests too. */
  readonly blobs: readonly PlannedBlob[];
  readonly files: readonly SmallFile[];
  readonly largeFiles: readonly LargeFile[];
  readonly tool: { readonly name: string; readonly version: string };
  /** Signs SHA256SUMS. Signatures must all have one length, or an interrupted build could not go on. */
  readonly sign?: ((sums: Uint8Array) => Uint8Array) | undefined;
  /** Whether a signature is one that `sign` could have made: no two of them are equal. */
  readonly isSigned?: ((sums: Uint8Array, signature: Uint8Array) => boolean) | undefined;
  /** Leaves out blobs that the bundle `base` has. */
  readonly delta?: { readonly base: string; readonly absent: ReadonlySet<Digest> } | undefined;
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
  const arranged = arrange(contents, mtimeOf(input.lock.created));
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

/** The clock of every entry, in seconds: `created` of the lock, never now. */
export function mtimeOf(created: string): number {
  const milliseconds = Date.parse(created);
  return Number.isNaN(milliseconds) ? 0 : Math.max(0, Math.floor(milliseconds / 1000));
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

const places = [/^README\.txt$/, /^install\.sh$/, /^bin\//, /^licences\//, /^charts\//, /^crds\//, /^manifests\//];

/** Where a file stands: what a bare host needs comes first, so that `tar x` of it ends soon. */
export function placeOf(name: string): number {
  return places.findIndex((pattern) => pattern.test(name));
}

function byPlace(a: EntryContent, b: EntryContent): number {
  return placeOf(a.name) - placeOf(b.name) || (a.name < b.name ? -1 : 1);
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
