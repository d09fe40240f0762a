import { createHash } from "node:crypto";
import type { Descriptor } from "../model/descriptor.ts";
import { digestFrom, hexOf } from "../model/digest.ts";
import { Failure } from "../model/failure.ts";
import { parseManifest, type ImageManifest } from "../model/manifest.ts";
import { MediaType } from "../model/media-type.ts";
import { layerMembers } from "./layer-tar.ts";
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
  const { layers } = (await pluginImage(plugin, root, content, signal)).manifest;
  const raw = layers.find(({ mediaType }) => mediaType === MediaType.wasmContent);
  if (raw !== undefined) {
    if (raw.size > maxModule) throw unusable(plugin, `${raw.size} B > ${maxModule} B`);
    const open: PluginModule["open"] = (offset, abort) => content.fetch(raw, { offset, signal: abort });
    return { size: raw.size, sha256: hexOf(raw.digest), open };
  }
  const packed = layers.at(-1);
  if (packed === undefined || !/gzip$/.test(packed.mediaType)) throw unusable(plugin, "no wasm layer");
  return packedModule(plugin, packed, content, signal);
}

export interface PluginImage {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
}

/**
 * The manifest that a gateway takes: an index means its linux/amd64, whatever the node is
 * (docs/facts/higress.md#plugin-layouts).
 * @throws Failure PLUGIN_UNUSABLE, CONTENT_MISMATCH
 */
export async function pluginImage(
  plugin: string,
  descriptor: Descriptor,
  content: Fetcher,
  signal?: AbortSignal,
): Promise<PluginImage> {
  const read = async (each: Descriptor) =>
    parseManifest(await readSmall(content, each, "bundle", undefined, signal), each.mediaType);
  const manifest = await read(descriptor);
  if (manifest.kind === "image") return { descriptor, manifest };
  const child = manifest.manifests.find(({ platform }) => platform === undefined || platform.architecture === "amd64");
  const image = child && (await read(child));
  if (child === undefined || image?.kind !== "image") throw unusable(plugin, "index without linux/amd64");
  return { descriptor: child, manifest: image };
}

async function packedModule(
  plugin: string,
  layer: Descriptor,
  content: Fetcher,
  signal: AbortSignal | undefined,
): Promise<PluginModule> {
  const hash = createHash("sha256");
  let size: number | undefined;
  for await (const member of membersOf(layer, content, signal)) {
    if (size !== undefined || !isModule(member)) continue;
    if (member.size > maxModule) throw unusable(plugin, `${member.size} B > ${maxModule} B`);
    size = member.size;
    for await (const chunk of member.body) hash.update(chunk);
  }
  if (size === undefined) throw unusable(plugin, "no plugin.wasm in the last layer");
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

const isModule = ({ type, path }: { readonly type: string; readonly path: string }): boolean =>
  type === "file" && path.split("/").at(-1) === "plugin.wasm";

function unusable(plugin: string, why: string): Failure {
  return new Failure("PLUGIN_UNUSABLE", { plugin, why }, { side: "bundle" });
}
