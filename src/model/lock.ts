import * as z from "zod";
import { RootDocument } from "./manifest.ts";

/** What an item is for. After resolve all three are the same: a root descriptor and its graph. */
export const ItemKind = z.enum(["chart", "image", "plugin"]);
export type ItemKind = z.output<typeof ItemKind>;

/** Why the carried digest is not the one that the source has. Both are recorded; the change can be made again. */
export const Derivation = z.strictObject({
  from: RootDocument.describe("What the source has"),
  how: z.enum(["platforms", "plugin-layout", "chart"]),
});

export const LockItem = z.strictObject({
  kind: ItemKind,
  name: z.string().max(300),
  reference: z.string().max(600).describe("The full original reference"),
  root: RootDocument,
  bytes: z.int().min(0).describe("Unique bytes of its graph"),
  platforms: z.array(z.string().max(60)).max(64),
  role: z.string().max(200).describe("What asked for it"),
  aliases: z.array(z.string().max(600)).max(64).default([]).describe("More references under which it must answer"),
  licence: z.string().max(200).optional(),
  derived: Derivation.optional(),
  version: z.string().max(128).optional().describe("Chart version, or a plugin's info.version"),
});
export interface LockItem extends z.output<typeof LockItem> {}

export const LockFile = z.strictObject({
  name: z.string().max(300),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export interface LockFile extends z.output<typeof LockFile> {}

/** What the spec resolved to: digests only. Same lock, same bytes. */
export const Lock = z.strictObject({
  lockVersion: z.literal(1),
  name: z.string().max(128),
  version: z.string().max(128),
  platforms: z.array(z.string().max(60)).max(64),
  kubeVersion: z.string().max(20),
  created: z.string().max(40).describe("SOURCE_DATE_EPOCH, or the newest input; never the clock"),
  items: z.array(LockItem).max(10_000),
  files: z.array(LockFile).max(10_000).describe("charts/, crds/, manifests/ and bin/ entries"),
});
export interface Lock extends z.output<typeof Lock> {}
