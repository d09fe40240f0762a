import { layerMembers } from "../../content/layer-tar.ts";
import { readExactly, verified } from "../../content/verified.ts";
import type { Fetcher } from "../../content/store.ts";
import { takeModule } from "../../content/plugin-module.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import type { PluginLayout } from "../../model/plugin-layout.ts";
import { printBytes } from "../../std/bytes.ts";
import { moduleLimit } from "./check.ts";

export interface ReadModuleOptions {
  /** What to call the plugin in a failure. @default the layer's digest */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A layer may hold documents and icons beside the module. */
const layerLimit = moduleLimit + 64 * 1024 ** 2;

/**
 * The module's bytes as a gateway would find them, verified: a raw layer, or the first `plugin.wasm` of a tar. An
 * unloadable artifact is read too when its module can be told, so that it can be checked before it is repacked.
 * @throws Failure PLUGIN_UNUSABLE, ARCHIVE_INVALID, CONTENT_MISMATCH
 */
export async function readModule(
  layout: PluginLayout,
  content: Fetcher,
  options: ReadModuleOptions = {},
): Promise<Uint8Array> {
  return takeModule(options.name ?? "?", layout, {
    packed: (layer) => readPacked(layer, content, options),
    raw: (layer) => readRaw(layer, content, options),
  });
}

async function readRaw(layer: Descriptor, content: Fetcher, { name, signal }: ReadModuleOptions): Promise<Uint8Array> {
  if (layer.size > moduleLimit) throw tooLarge(name ?? layer.digest, layer.size);
  return readExactly(verified(content.fetch(layer, { signal }), layer, "source"), layer.size);
}

/**
 * `undefined` when the tar has none. What is damaged is refused, although the agent stops reading behind the module and
 * would not see damage there: nobody else on the way could read such a layer.
 */
async function readPacked(
  layer: Descriptor,
  content: Fetcher,
  options: ReadModuleOptions,
): Promise<Uint8Array | undefined> {
  const { name = layer.digest, signal } = options;
  let module: Uint8Array | undefined;
  try {
    for await (const member of layerMembers(content, layer, { side: "source", maxBytes: layerLimit, signal })) {
      const wanted = module === undefined && member.base === "plugin.wasm";
      if (!wanted) continue;
      // The agent takes the first of this name, whatever it is, and finds nothing in a folder or a link.
      if (member.type !== "file")
        throw new Failure("PLUGIN_UNUSABLE", { plugin: name, why: `plugin.wasm: ${member.type}` });
      if (member.size > moduleLimit) throw tooLarge(name, member.size);
      module = await readExactly(member.body, member.size);
    }
  } catch (cause) {
    if (!isFailure(cause, "ARCHIVE_INVALID")) throw cause;
    throw new Failure("PLUGIN_UNUSABLE", { plugin: name, why: cause.facts.why }, { cause });
  }
  return module;
}

function tooLarge(plugin: string, size: number): Failure {
  return new Failure("PLUGIN_UNUSABLE", { plugin, why: `${printBytes(size)} > ${printBytes(moduleLimit)}` });
}
