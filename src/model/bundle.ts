import * as z from "zod";
import { listOf } from "./list-of.ts";
import { LockItem } from "./lock.ts";
import { RootDocument } from "./manifest.ts";
import { MediaType } from "./media-type.ts";
import {
  DigestText,
  EntryName,
  FileName,
  KubeVersion,
  NameText,
  PlatformText,
  Prose,
  Sha256Text,
  TimeText,
} from "./names.ts";

/** Entry names of bundle format v1, in file order; `docs/` has the specification for writing another reader. */
export const Entry = {
  layout: "oci-layout",
  bundle: "bundle.json",
  index: "index.json",
  sums: "SHA256SUMS",
  signature: "SHA256SUMS.sig",
  readme: "README.txt",
  installer: "install.sh",
  lock: "manifests/bundle.lock.json",
  spec: "manifests/bundle.yaml",
} as const;

export const blobPrefix = "blobs/sha256/";
/** Programs: helm, kubectl and this tool, by platform. */
export const programPrefix = "bin/";

const places = [/^README\.txt$/, /^install\.sh$/, /^bin\//, /^licences\//, /^charts\//, /^crds\//, /^manifests\//];

/** Where a small file or a program stands among its like: what a bare host needs comes first, so that `tar x` of it ends soon. */
export function entryPlace(name: string): number {
  return places.findIndex((pattern) => pattern.test(name));
}

/** The clock of every entry, in seconds: `created` of the lock, never now. */
export function entryTime(created: string): number {
  const milliseconds = Date.parse(created);
  return Number.isNaN(milliseconds) ? 0 : Math.max(0, Math.floor(milliseconds / 1000));
}

export const formatVersion = 1;

/** Bounds for a hostile bundle: entries, and bytes of the small files that are read whole. */
export const limits = { entries: 200_000, smallFile: 64 * 1024 ** 2, totalBytes: 64 * 1024 ** 4 } as const;

/** The size of a file is 32 bits in FAT32: https://learn.microsoft.com/en-us/windows/win32/fileio/filesystem-functionality-comparison */
export const largestOnFat = 2 ** 32 - 1;

/** `bundle.json`. */
export const BundleDocument = z.strictObject({
  formatVersion: z.literal(formatVersion),
  tool: z.strictObject({ name: NameText, version: NameText }),
  name: NameText,
  version: NameText,
  created: TimeText,
  platforms: z.array(PlatformText).max(64),
  kubeVersion: KubeVersion,
  items: listOf(LockItem, 10_000),
  /** Every blob of every item in file order, whether it is in this file or expected on the other side. */
  blobs: listOf(RootDocument, limits.entries),
  /** ssri integrity (sha512) of the small files. */
  integrity: z.record(EntryName, z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/)),
  /** A delta: blobs that are not in this file, and the bundle that has them. */
  delta: z.strictObject({ base: Prose(300), absent: listOf(DigestText, limits.entries) }).optional(),
});
export interface BundleDocument extends z.output<typeof BundleDocument> {}

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md: skopeo and oras find an image by `ref.name`. */
export function layoutIndex(items: readonly LockItem[]) {
  const manifests = items.map(({ root, reference }) => ({
    ...root,
    annotations: { "org.opencontainers.image.ref.name": reference },
  }));
  return { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
}

export const layoutVersion = { imageLayoutVersion: "1.0.0" } as const;

export const volumeBlock = 4 * 1024 ** 2;

/** `NAME.volumes.json`, beside `NAME.tar.001` and so on. Offsets run through all volumes as one address space. */
export const VolumesDocument = z.strictObject({
  formatVersion: z.literal(formatVersion),
  sum: Sha256Text.optional().describe("sha256 of this document without this member, in canonical form"),
  bundle: Sha256Text.describe("sha256 of bundle.json: volumes of another build are foreign"),
  size: z.int().min(0),
  volumes: z
    .array(
      z.strictObject({
        name: FileName,
        size: z.int().min(1),
        sha256: Sha256Text,
        blocks: listOf(Sha256Text, 1_000_000).describe("sha256 of each 4 MiB"),
      }),
    )
    .min(1)
    .max(9999),
});
export interface VolumesDocument extends z.output<typeof VolumesDocument> {}
