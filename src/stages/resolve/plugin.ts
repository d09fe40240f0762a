import { readGraph } from "../../content/graph.ts";
import { MemoryStore } from "../../content/memory.ts";
import { overlay } from "../../content/overlay.ts";
import { readSmall } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import { parseManifest, type ImageManifest } from "../../model/manifest.ts";
import { pointer, printReference, type Reference } from "../../model/reference.ts";
import { bare, graphBytes } from "./image.ts";
import { keep, type ExaminePlugin, type Resolved, type ResolveContext, type SourceRepository } from "./ports.ts";

export interface PluginRequest {
  readonly name: string;
  readonly reference: Reference;
  readonly role: string;
  /** `info.version` of its spec.yaml. */
  readonly version?: string | undefined;
  /** The digest that was published with the release. */
  readonly published?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly gatewayMinVersion?: string | undefined;
  /** What its console says of it. */
  readonly about?: Pick<LockItem, "category" | "phase" | "priority"> | undefined;
  readonly pinned?: string | undefined;
}

/**
 * A plugin is platform-neutral and byte-exact, unless the gateway would refuse its layout: then it is repacked, and both
 * digests are recorded.
 */
export async function resolvePlugin(
  request: PluginRequest,
  source: SourceRepository,
  examine: ExaminePlugin,
  context: ResolveContext,
): Promise<Resolved> {
  const reference = printReference(request.reference);
  const found = await source.resolve(request.pinned ?? pointer(request.reference), context.signal);
  const made = new MemoryStore();
  made.put(found.descriptor.digest, found.bytes);
  const content = overlay(made, source);
  const { manifest, descriptor } = await imageOf(reference, found, content, context);
  const { gatewayMinVersion } = request;
  const { mediaType } = descriptor;
  const { name } = request;
  const original = bare(found.descriptor);
  const examined = await examine({ name, reference, root: original, manifest, mediaType, content, gatewayMinVersion });
  if (examined.replacement !== undefined) keep(made, examined.replacement);
  const root = bare(examined.replacement?.manifest.descriptor ?? original);
  const graph = await readGraph(content, root, "source", context.signal);
  const item: LockItem = {
    kind: "plugin",
    name: request.name,
    reference,
    root,
    bytes: graphBytes(graph),
    platforms: [],
    role: request.role,
    aliases: [...(request.aliases ?? [])],
    ...(request.version === undefined ? {} : { version: request.version }),
    ...request.about,
    ...(examined.replacement === undefined ? {} : { derived: { from: original, how: "plugin-layout" as const } }),
  };
  return { item, graph, content, findings: [...drift(request, reference, found.descriptor), ...examined.findings] };
}

/**
 * The gateway resolves an index to linux/amd64 whatever the node is (docs/facts/higress.md#plugin-layouts); so does
 * this.
 */
async function imageOf(
  reference: string,
  found: { descriptor: Descriptor; bytes: Uint8Array },
  content: Resolved["content"],
  context: ResolveContext,
): Promise<{ manifest: ImageManifest; descriptor: Descriptor }> {
  const manifest = parseManifest(found.bytes, found.descriptor.mediaType);
  if (manifest.kind === "image") return { manifest, descriptor: found.descriptor };
  const child = manifest.manifests.find(
    ({ platform }) => platform === undefined || (platform.os === "linux" && platform.architecture === "amd64"),
  );
  if (child === undefined)
    throw new Failure("PLUGIN_UNUSABLE", { plugin: reference, why: "index without linux/amd64" });
  const image = parseManifest(await readSmall(content, child, "source", undefined, context.signal), child.mediaType);
  if (image.kind === "index") throw new Failure("PLUGIN_UNUSABLE", { plugin: reference, why: "index of indexes" });
  return { manifest: image, descriptor: child };
}

/** Upstream has overwritten published tags before; what is carried is what was found, and the difference is said. */
function drift(request: PluginRequest, reference: string, found: Descriptor): readonly Finding[] {
  if (request.published === undefined || request.published === found.digest) return [];
  return [
    finding("warning", "plugin.tag-drift", {
      plugin: request.name,
      reference,
      published: request.published,
      found: found.digest,
    }),
  ];
}
