import * as z from "zod";
import { listOf } from "./list-of.ts";
import { RootDocument } from "./manifest.ts";
import {
  EntryName,
  ItemName,
  KubeVersion,
  NameText,
  PlatformText,
  Prose,
  ReferenceText,
  RoleText,
  Sha256Text,
  TimeText,
} from "./names.ts";

/** What an item is for. After resolve all three are the same: a root descriptor and its graph. */
export const ItemKind = z.enum(["chart", "image", "plugin"]);
export type ItemKind = z.output<typeof ItemKind>;

/** Why the carried digest is not the one that the source has. Both are recorded; the change can be made again. */
const Derivation = z.strictObject({
  from: RootDocument.describe("What the source has"),
  how: z.enum(["platforms", "plugin-layout", "chart"]),
});

/** The role of plugins that the console of the release knows: it makes their URLs. */
export const builtInRole = "built-in";

export const LockItem = z.strictObject({
  kind: ItemKind,
  name: ItemName,
  reference: ReferenceText.describe("The full original reference"),
  root: RootDocument,
  bytes: z.int().min(0).describe("Unique bytes of its graph"),
  platforms: z.array(PlatformText).max(64),
  role: RoleText.describe("What asked for it"),
  aliases: z.array(ReferenceText).max(64).default([]).describe("More references under which it must answer"),
  licence: Prose(200).optional(),
  derived: Derivation.optional(),
  version: NameText.optional().describe("Chart version, or a plugin's info.version"),
  category: Prose(128)
    .optional()
    .describe("Of a plugin, as its console says: how it is shown and run when it is switched on"),
  phase: Prose(64).optional(),
  priority: z.number().optional(),
});
export interface LockItem extends z.output<typeof LockItem> {}

export const LockFile = z.strictObject({
  name: EntryName,
  size: z.int().min(0),
  sha256: Sha256Text,
});
export interface LockFile extends z.output<typeof LockFile> {}

/** What the spec resolved to: digests only. Same lock, same bytes. */
export const Lock = z.strictObject({
  lockVersion: z.literal(1),
  name: NameText,
  version: NameText,
  platforms: z.array(PlatformText).max(64),
  kubeVersion: KubeVersion,
  created: TimeText.describe("SOURCE_DATE_EPOCH, or the newest input; never the clock"),
  items: listOf(LockItem, 10_000),
  files: listOf(LockFile, 10_000).describe("charts/, crds/, manifests/ and bin/ entries"),
});
export interface Lock extends z.output<typeof Lock> {}
