import * as z from "zod";
import { Lock, LockItem } from "./lock.ts";
import { RootDocument } from "./manifest.ts";

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

/** Allow-list of everything that may be in a bundle. No `..`, no links, no absolute names: what does not match is refused. */
const allowed = [
  /^(oci-layout|bundle\.json|index\.json|SHA256SUMS|SHA256SUMS\.sig|README\.txt|install\.sh)$/,
  /^blobs\/sha256\/[0-9a-f]{64}$/,
  /^bin\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  /^(charts|crds|manifests|licences)\/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}(\/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}){0,3}$/,
] as const;

export function isAllowedEntry(name: string): boolean {
  return allowed.some((pattern) => pattern.test(name));
}

export const formatVersion = 1;

/** Bounds for a hostile bundle: entries, and bytes of the small files that are read whole. */
export const limits = { entries: 200_000, smallFile: 64 * 1024 ** 2, totalBytes: 64 * 1024 ** 4 } as const;

/** `bundle.json`. */
export const BundleDocument = z.strictObject({
  formatVersion: z.literal(formatVersion),
  tool: z.strictObject({ name: z.string().max(64), version: z.string().max(64) }),
  name: z.string().max(128),
  version: z.string().max(128),
  created: z.string().max(40),
  platforms: Lock.shape.platforms,
  kubeVersion: z.string().max(20),
  items: z.array(LockItem).max(10_000),
  /** Every blob of every item in file order, whether it is in this file or expected on the other side. */
  blobs: z.array(RootDocument).max(limits.entries),
  /** ssri integrity (sha512) of the small files. */
  integrity: z.record(z.string().max(300), z.string().max(200)),
  /** A delta: blobs that are not in this file, and the bundle that has them. */
  delta: z
    .strictObject({ base: z.string().max(300), absent: z.array(z.string().max(80)).max(limits.entries) })
    .optional(),
});
export interface BundleDocument extends z.output<typeof BundleDocument> {}

export const volumeBlock = 4 * 1024 ** 2;

/** `NAME.volumes.json`, beside `NAME.tar.001` and so on. Offsets run through all volumes as one address space. */
export const VolumesDocument = z.strictObject({
  formatVersion: z.literal(formatVersion),
  bundle: z.string().max(80).describe("sha256 of bundle.json: volumes of another build are foreign"),
  size: z.int().min(0),
  volumes: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[^/\\]{1,255}$/),
        size: z.int().min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        blocks: z
          .array(z.string().regex(/^[0-9a-f]{64}$/))
          .max(1_000_000)
          .describe("sha256 of each 4 MiB"),
      }),
    )
    .min(1)
    .max(9999),
});
export interface VolumesDocument extends z.output<typeof VolumesDocument> {}
