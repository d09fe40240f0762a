import pMap from "p-map";
import { digestOf, hexOf } from "../model/digest.ts";
import { Failure } from "../model/failure.ts";
import type { LockItem } from "../model/lock.ts";
import { parseReference } from "../model/reference.ts";
import { canonicalJson } from "../std/canonical-json.ts";
import { pluginModule, type PluginModule } from "./plugin-module.ts";
import type { Fetcher } from "./store.ts";

/** One file of the plugin server, under the path that the gateway asks for. */
export interface PluginFile {
  /** `plugins/<name>/<version>/plugin.wasm`, `plugins/<name>/<version>/metadata.txt`, `<name>.wasm`. */
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  open(offset?: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface PluginTreeOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A plugin, and everything that a URL may call it and its version. */
interface Published {
  readonly item: LockItem;
  readonly module: PluginModule;
  readonly names: readonly string[];
  /** Tags: what the plugin is. Nobody else may be that. */
  readonly tags: readonly string[];
  /**
   * `info.version`, which the console writes for `${version}` and which is 1.0.0 for many tags
   * (docs/facts/higress.md#console-url-pattern).
   */
  readonly version: string | undefined;
}

/**
 * The files of Higress' plugin server, for all plugins of a bundle: each under every name and version by which an
 * installed console, controller or template may ask for it. Reads packed plugins once, and no raw one.
 * @throws Failure NAME_COLLISION when two plugins have one name and tag, PLUGIN_UNUSABLE for one without a module
 */
export async function pluginTree(
  items: readonly LockItem[],
  content: Fetcher,
  options: PluginTreeOptions = {},
): Promise<ReadonlyMap<string, PluginFile>> {
  const { signal } = options;
  const plugins = items.filter(({ kind }) => kind === "plugin");
  const publish = async (item: LockItem): Promise<Published> => ({
    ...callings(item),
    item,
    module: await pluginModule(item.name, item.root, content, signal),
  });
  const published = await pMap(plugins, publish, { concurrency: 2 });
  const owners = new Map<string, Published>();
  for (const each of published) for (const directory of directories(each, each.tags)) claim(owners, directory, each);
  // An info.version is a promise of the console, not of the artifact: a real tag goes before it.
  for (const each of published)
    for (const directory of directories(each, each.version === undefined ? [] : [each.version]))
      if (!owners.has(directory)) owners.set(directory, each);
  return new Map(filesOf(published, owners).map((file) => [file.path, file]));
}

/** A path is made of these; a bundle is hostile input, and the tree is written to disks. */
const isSegment = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/.test(text);

function callings(item: LockItem): Pick<Published, "names" | "tags" | "version"> {
  const references = [item.reference, ...item.aliases].map(parseReference);
  const basenames = references.map(({ repository }) => repository.slice(repository.lastIndexOf("/") + 1));
  const tags = references.flatMap(({ tag }) => tag ?? []);
  return {
    names: [...new Set([item.name, ...basenames])].filter(isSegment),
    tags: [...new Set(tags)],
    version: item.version !== undefined && isSegment(item.version) ? item.version : undefined,
  };
}

function directories({ names }: Published, versions: readonly string[]): readonly string[] {
  return names.flatMap((name) => versions.map((version) => `plugins/${name}/${version}`));
}

function claim(owners: Map<string, Published>, directory: string, plugin: Published): void {
  const owner = owners.get(directory) ?? plugin;
  if (owner.module.sha256 !== plugin.module.sha256)
    throw new Failure(
      "NAME_COLLISION",
      { target: directory, first: owner.item.reference, second: plugin.item.reference },
      { side: "bundle" },
    );
  owners.set(directory, owner);
}

function filesOf(published: readonly Published[], owners: ReadonlyMap<string, Published>): readonly PluginFile[] {
  const files = [...owners].flatMap(([directory, plugin]) => [
    moduleFile(`${directory}/plugin.wasm`, plugin.module),
    textFile(`${directory}/metadata.txt`, metadata(directory, plugin)),
  ]);
  // Without a version in its URL a plugin is the first of its name.
  const short = new Map([...published].reverse().flatMap(({ names, module }) => names.map((name) => [name, module])));
  return [
    ...files,
    ...[...short].map(([name, module]) => moduleFile(`${name}.wasm`, module)),
    textFile("plugins/snapshot-inventory.json", inventory(owners)),
  ];
}

/**
 * metadata.txt as the official plugin server words it, but with a digest that still means something where that has MD5, and
 * with the origin where that has the times of its own build.
 */
function metadata(directory: string, { item, module }: Published): string {
  const name = directory.split("/")[1] ?? "";
  const origin = `${item.reference}@${item.root.digest}`;
  return `Plugin Name: ${name}\nSize: ${module.size} bytes\nSHA256: ${module.sha256}\nOrigin: ${origin}\n`;
}

function inventory(owners: ReadonlyMap<string, Published>): string {
  const plugins = new Map<string, Map<string, Readonly<Record<string, string | number>>>>();
  for (const [directory, { item, module }] of owners) {
    const [, name = "", version = ""] = directory.split("/");
    const { size, sha256 } = module;
    const entry = { image: item.reference, digest: item.root.digest, path: `/${directory}/plugin.wasm`, sha256, size };
    plugins.set(name, (plugins.get(name) ?? new Map<string, typeof entry>()).set(version, entry));
  }
  // Maps up to here: a plugin may be called `constructor`.
  return canonicalJson(
    Object.fromEntries([...plugins].map(([name, versions]) => [name, Object.fromEntries(versions)])),
  );
}

function moduleFile(path: string, module: PluginModule): PluginFile {
  const { size, sha256 } = module;
  return { path, size, sha256, open: (offset, signal) => module.open(offset, signal) };
}

function textFile(path: string, text: string): PluginFile {
  const bytes = Buffer.from(text);
  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous; this text is not
  const open = async function* (offset = 0): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(offset);
  };
  return { path, size: bytes.length, sha256: hexOf(digestOf(bytes)), open };
}
