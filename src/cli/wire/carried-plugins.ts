import { pluginImage } from "../../content/plugin-module.ts";
import type { Fetcher } from "../../content/store.ts";
import { verified } from "../../content/verified.ts";
import { Failure } from "../../model/failure.ts";
import type { LockItem } from "../../model/lock.ts";
import { parseReference } from "../../model/reference.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import { pluginLayout, type PluginLayout } from "../../stages/plugins/layout.ts";
import { nearest } from "../../std/nearest.ts";

export interface CarriedPlugin {
  readonly item: LockItem;
  /** What stands for `${version}` in a URL of the console: `info.version`, or the tag. */
  readonly version: string;
}

/**
 * The plugins of a bundle, or those of them that are named.
 * @throws Failure USAGE for a name that it does not carry
 */
export function carriedPlugins({ document }: Bundle, names: readonly string[] = []): readonly CarriedPlugin[] {
  const plugins = document.items.filter(({ kind }) => kind === "plugin");
  for (const name of names) {
    if (plugins.some((item) => item.name === name)) continue;
    const near = nearest(
      name,
      plugins.map((item) => item.name),
    );
    throw new Failure("USAGE", { what: `--name ${name}${near === undefined ? "" : `: ${near}?`}` });
  }
  return plugins
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((item) => ({ item, version: item.version ?? parseReference(item.reference).tag ?? "" }));
}

export async function layoutOf({ item }: CarriedPlugin, content: Fetcher, signal?: AbortSignal): Promise<PluginLayout> {
  const { descriptor, manifest } = await pluginImage(item.name, item.root, content, signal);
  return pluginLayout(manifest, descriptor.mediaType);
}

/** A bundle whose blobs are held against their digests here, so that damage is said to be the bundle's. */
export function checkedContent(bundle: Bundle): Fetcher {
  return { fetch: (blob, options) => verified(bundle.fetch(blob, options), blob, "bundle") };
}
