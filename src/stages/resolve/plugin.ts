import { readGraph } from "../../content/graph.ts";
import { MemoryStore, overlay } from "../../content/memory.ts";
import { pluginImage } from "../../content/plugin-module.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import { pointer, printReference, type Reference } from "../../model/reference.ts";
import { bare, graphBytes, rootManifest } from "./image.ts";
import type { ExaminePlugin, Resolved, ResolveContext, SourceRepository } from "./ports.ts";

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
  // What is of no format that a gateway reads is told with the name of the plugin.
  rootManifest(reference, found);
  const made = new MemoryStore();
  made.put(found.descriptor.digest, found.bytes);
  const content = overlay(made, source);
  const where = { side: "source", signal: context.signal } as const;
  const manifest = await pluginImage(reference, found.descriptor, content, where);
  const { name, gatewayMinVersion } = request;
  const original = bare(found.descriptor);
  const examined = await examine({ name, reference, root: original, manifest, content, gatewayMinVersion });
  const { manifest: replaced, blobs = [] } = examined.replacement ?? {};
  for (const { descriptor, bytes } of replaced === undefined ? [] : [replaced, ...blobs])
    made.put(descriptor.digest, bytes);
  const root = bare(replaced?.descriptor ?? original);
  const graph = await readGraph(content, root, "source", context.signal);
  const item: LockItem = {
    kind: "plugin",
    name,
    reference,
    root,
    bytes: graphBytes(graph),
    platforms: [],
    role: request.role,
    aliases: [...(request.aliases ?? [])],
    ...(request.version === undefined ? {} : { version: request.version }),
    ...request.about,
    ...(replaced === undefined ? {} : { derived: { from: original, how: "plugin-layout" as const } }),
  };
  return { item, graph, content, findings: [...drift(request, reference, found.descriptor), ...examined.findings] };
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
