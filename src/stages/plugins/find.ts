import { layerMembers, type LayerMember } from "../../content/layer-tar.ts";
import type { Fetcher } from "../../content/store.ts";
import { readExactly, readSmall } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { parseManifest, type ImageManifest } from "../../model/manifest.ts";
import { withoutOci } from "../../model/reference.ts";
import type { PluginSpec } from "../../model/spec.ts";
import { printBytes } from "../../std/bytes.ts";
import { pluginsInJar, type ConsolePlugin } from "./console-jar.ts";

export interface FindOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface FoundInConsole {
  readonly console: readonly ConsolePlugin[];
  /** The same plugins, in the form in which a bundle spec lists them. */
  readonly plugins: readonly PluginSpec[];
}

/** A jar is held in memory while it is read, once: this is the most that the search takes. */
const jarLimit = 512 * 1024 ** 2;
const maxJars = 1000;
const layerLimit = 8 * 1024 ** 3;

/**
 * Finds the plugins that a console image can name, where they really are: `app/*.jar` of the topmost layer that has one,
 * and there in the SDK's jar. Layers are read as streams from the top, those below the find not at all; nothing is
 * unpacked to a disk.
 * @throws Failure PLUGIN_UNUSABLE when this is no console image
 */
export async function findInConsole(
  root: Descriptor,
  content: Fetcher,
  options: FindOptions = {},
): Promise<FoundInConsole> {
  const { layers } = await imageOf(root, content, options.signal);
  const search: Search = { hidden: new Set(), reasons: [], closed: false };
  for (const layer of [...layers].reverse()) {
    const found = search.closed ? undefined : await searchLayer(layer, content, search, options.signal);
    if (found !== undefined) return { console: found, plugins: found.map(specOf) };
  }
  const why = search.reasons[0] ?? "no app/*.jar with a higress-admin-sdk in it";
  throw new Failure("PLUGIN_UNUSABLE", { plugin: root.digest, why });
}

/** What the layers above have said: names in app/ that are theirs or gone, and why a jar of theirs was none. */
interface Search {
  readonly hidden: Set<string>;
  readonly reasons: string[];
  /** Nothing below can be seen any more. */
  closed: boolean;
}

/** A jar is the same for every architecture, so any image of an index does; linux/amd64 is one that every release has. */
async function imageOf(root: Descriptor, content: Fetcher, signal?: AbortSignal): Promise<ImageManifest> {
  const read = async (each: Descriptor) =>
    parseManifest(await readSmall(content, each, "source", signal), each.mediaType);
  const manifest = await read(root);
  if (manifest.kind === "image") return manifest;
  // Attestations stand in an index as images of the platform unknown/unknown.
  const images = manifest.manifests.filter(({ platform }) => platform?.os !== "unknown");
  const child = images.find(({ platform }) => platform?.architecture === "amd64") ?? images[0];
  const image = child && (await read(child));
  if (image?.kind !== "image")
    throw new Failure("PLUGIN_UNUSABLE", { plugin: root.digest, why: "index without an image" });
  return image;
}

/** Goes through the whole layer even after the find, because only its end proves its digest. */
async function searchLayer(
  layer: Descriptor,
  content: Fetcher,
  search: Search,
  signal?: AbortSignal,
): Promise<readonly ConsolePlugin[] | undefined> {
  let found: readonly ConsolePlugin[] | undefined;
  // What a layer hides, it hides from those below, not from itself.
  const taken = new Set<string>();
  let closed = false;
  for await (const member of layerMembers(content, layer, { side: "source", maxBytes: layerLimit, signal })) {
    const gone = hides(member, "app");
    if (gone === "all") closed = true;
    else if (gone?.name.endsWith(".jar") === true) taken.add(gone.name);
    if (taken.size > maxJars)
      throw new Failure("ARCHIVE_INVALID", { what: layer.digest, why: `more than ${maxJars} jars` });
    const name = /^app\/([^/]+\.jar)$/.exec(member.path)?.[1];
    if (found !== undefined || name === undefined || member.type !== "file" || search.hidden.has(name)) continue;
    found = await searchJar(member, search.reasons);
  }
  search.closed = closed;
  for (const name of taken) search.hidden.add(name);
  return found;
}

async function searchJar(member: LayerMember, reasons: string[]): Promise<readonly ConsolePlugin[] | undefined> {
  if (member.size > jarLimit) {
    reasons.push(`${member.path.slice(0, 100)}: ${printBytes(member.size)} > ${printBytes(jarLimit)}`);
    return undefined;
  }
  const jar = await readExactly(member.body, member.size);
  return pluginsInJar(jar, member.path).catch((error: unknown) => {
    if (!isFailure(error, "ARCHIVE_INVALID")) throw error;
    reasons.push(`${error.facts.what.slice(0, 100)}: ${error.facts.why}`);
    return undefined;
  });
}

function specOf(plugin: ConsolePlugin): PluginSpec {
  return {
    name: plugin.name,
    ref: withoutOci(plugin.reference),
    version: plugin.infoVersion,
    ...(plugin.category === undefined ? {} : { category: plugin.category }),
    ...(plugin.phase === undefined ? {} : { phase: plugin.phase }),
    ...(plugin.priority === undefined ? {} : { priority: plugin.priority }),
    ...(plugin.gatewayMinVersion === undefined ? {} : { gatewayMinVersion: plugin.gatewayMinVersion }),
  };
}

const opaque = ".wh..wh..opq";
const whiteout = ".wh.";

/**
 * What a member of a layer takes away from the `folder` (of the root) in the layers below it: everything, or one name.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
function hides(
  member: Pick<LayerMember, "path" | "type">,
  folder: string,
): "all" | { readonly name: string } | undefined {
  const { path, type } = member;
  if (path === opaque || path === `${whiteout}${folder}` || path === `${folder}/${opaque}`) return "all";
  if (type === "directory") return undefined;
  // A file in the place of the folder.
  if (path === folder) return "all";
  const [first, name, ...deeper] = path.split("/");
  if (first !== folder || name === undefined || deeper.length > 0) return undefined;
  return { name: name.startsWith(whiteout) ? name.slice(whiteout.length) : name };
}
