import { createHash } from "node:crypto";
import type { Descriptor } from "../model/descriptor.ts";
import { digestFrom, hexOf } from "../model/digest.ts";
import { Failure, type Side } from "../model/failure.ts";
import { parseManifest, type ImageManifest } from "../model/manifest.ts";
import type { Platform } from "../model/platform.ts";
import { pluginLayout, type PluginLayout } from "../model/plugin-layout.ts";
import { maxGraphDepth } from "./graph.ts";
import { layerMembers, type LayerMember } from "./layer-tar.ts";
import type { Fetcher } from "./store.ts";
import { readSmall } from "./verified.ts";

/** The WebAssembly module in a plugin artifact, wherever it stands in there. */
export interface PluginModule {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Not verified: whoever takes all of it holds it against `sha256`. */
  open(offset?: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The limit of Istio's agent (docs/facts/higress.md#fetch-of-a-plugin): a gateway would refuse a larger one. */
const maxModule = 256 * 1024 ** 2;
/** Documents and icons may stand beside the module. */
const maxLayer = maxModule + 64 * 1024 ** 2;

/**
 * Finds the module. A raw layer is only looked at; a packed one is read through once, for the size and digest of what
 * is in it, and unpacked again by each reader: memory stays flat with fifty plugins and ten gateways.
 * @throws Failure PLUGIN_UNUSABLE, ARCHIVE_INVALID, CONTENT_MISMATCH
 */
export async function pluginModule(
  plugin: string,
  root: Descriptor,
  content: Fetcher,
  signal?: AbortSignal,
): Promise<PluginModule> {
  const layout = pluginLayout(await pluginImage(plugin, root, content, { side: "bundle", signal }));
  return takeModule(plugin, layout, {
    packed: (layer) => packedModule(plugin, layer, content, signal),
    raw: (layer) => Promise.resolve(rawModule(plugin, layer, content)),
  });
}

export interface ModuleReaders<T> {
  /** `undefined`: it is sound, and there is no plugin.wasm in it. */
  readonly packed: (layer: Descriptor) => Promise<T | undefined>;
  readonly raw: (layer: Descriptor) => Promise<T>;
}

/**
 * Takes the module as the gateway does: out of a tar, or as it lies, or as it lies beside a tar that has none.
 * What no gateway would load is taken too when it can be told, so that it can be checked before it is repacked.
 * @throws Failure PLUGIN_UNUSABLE for a layout that has no module
 */
export async function takeModule<T>(
  plugin: string,
  layout: PluginLayout,
  { packed, raw }: ModuleReaders<T>,
): Promise<T> {
  const none = () => new Failure("PLUGIN_UNUSABLE", { plugin, why: "no plugin.wasm in the last layer" });
  switch (layout.shape) {
    case "oci":
      return raw(layout.layer);
    case "docker":
    case "compat": {
      const found = await packed(layout.layer);
      if (found !== undefined) return found;
      if (layout.raw === undefined) throw none();
      return raw(layout.raw);
    }
    case "unloadable":
      if (layout.wasmLayer === undefined) throw new Failure("PLUGIN_UNUSABLE", { plugin, why: layout.why });
      return raw(layout.wasmLayer);
  }
}

function rawModule(plugin: string, raw: Descriptor, content: Fetcher): PluginModule {
  if (raw.size > maxModule) throw unusable(plugin, `${raw.size} B > ${maxModule} B`);
  const open: PluginModule["open"] = (offset, abort) => content.fetch(raw, { offset, signal: abort });
  return { size: raw.size, sha256: hexOf(raw.digest), open };
}

/**
 * The manifest that a gateway takes: an index means its first linux/amd64, whatever the node is, and what names no
 * platform counts as that; so does an index in an index (docs/facts/higress.md#plugin-layouts).
 * @throws Failure PLUGIN_UNUSABLE, CONTENT_MISMATCH
 */
export async function pluginImage(
  plugin: string,
  root: Descriptor,
  content: Fetcher,
  { side, signal }: { readonly side: Side; readonly signal?: AbortSignal | undefined },
): Promise<ImageManifest> {
  let descriptor = root;
  for (let depth = 0; depth <= maxGraphDepth; depth += 1) {
    const manifest = parseManifest(await readSmall(content, descriptor, side, signal), descriptor.mediaType);
    if (manifest.kind === "image") return manifest;
    const child = manifest.manifests.find(({ platform: { os, architecture } = gatewayPlatform }) => {
      return os === gatewayPlatform.os && architecture === gatewayPlatform.architecture;
    });
    if (child === undefined) throw unusable(plugin, "index without linux/amd64", side);
    descriptor = child;
  }
  throw unusable(plugin, `depth > ${maxGraphDepth}`, side);
}

const gatewayPlatform: Platform = { os: "linux", architecture: "amd64" };

async function packedModule(
  plugin: string,
  layer: Descriptor,
  content: Fetcher,
  signal: AbortSignal | undefined,
): Promise<PluginModule | undefined> {
  const hash = createHash("sha256");
  let size: number | undefined;
  for await (const member of membersOf(layer, content, signal)) {
    if (size !== undefined || !isModule(member)) continue;
    if (member.size > maxModule) throw unusable(plugin, `${member.size} B > ${maxModule} B`);
    size = member.size;
    for await (const chunk of member.body) hash.update(chunk);
  }
  if (size === undefined) return undefined;
  const open: PluginModule["open"] = (offset, abort) => unpack(layer, content, offset ?? 0, abort);
  return { size, sha256: hexOf(digestFrom(hash)), open };
}

async function* unpack(
  layer: Descriptor,
  content: Fetcher,
  offset: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const member of membersOf(layer, content, signal)) {
    if (!isModule(member)) continue;
    let skip = offset;
    for await (const chunk of member.body) {
      if (skip < chunk.byteLength) yield chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.byteLength);
    }
    return;
  }
}

const membersOf = (layer: Descriptor, content: Fetcher, signal: AbortSignal | undefined) =>
  layerMembers(content, layer, { side: "bundle", maxBytes: maxLayer, signal });

const isModule = ({ type, base }: LayerMember): boolean => type === "file" && base === "plugin.wasm";

function unusable(plugin: string, why: string, side: Side = "bundle"): Failure {
  return new Failure("PLUGIN_UNUSABLE", { plugin, why }, { side });
}
