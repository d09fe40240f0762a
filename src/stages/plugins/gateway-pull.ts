import { readGraph } from "../../content/graph.ts";
import type { Fetcher, Resolver } from "../../content/store.ts";
import { contentMismatch } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { failureInBrief, isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { printReference, type Reference } from "../../model/reference.ts";
import { projectOf } from "../../model/relocation.ts";

/** A repository through the eyes of the account that the gateway pulls with. */
export type PullRepository = Fetcher & Resolver;

export interface GatewayPullOptions {
  readonly host: string;
  /** A user name, or `anonymous`: for messages. */
  readonly as: string;
  /** The gateway's own rule for the layers of a plugin: `undefined` is "takes it", else why not. */
  readonly layout: (manifest: Uint8Array, mediaType: string) => string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PulledPlugin {
  readonly name: string;
  readonly target: Reference;
  readonly digest: Digest;
}

/**
 * Does what the gateway's agent will do for each plugin: the manifest by its tag, the layout rule, the first bytes of the
 * last layer. What fails here would fail in the cluster, where nobody sees why.
 */
export async function gatewayPull(
  plugins: readonly PulledPlugin[],
  repository: (name: string) => PullRepository,
  options: GatewayPullOptions,
): Promise<readonly Finding[]> {
  const all: Finding[] = [];
  for (const plugin of plugins) {
    const found = await pullOne(plugin, repository(plugin.target.repository), options);
    all.push(...found);
    // The same credentials would be refused for every other plugin.
    if (found.some(({ code }) => code === "registry.credentials-wrong")) break;
  }
  return all;
}

async function pullOne(
  { name, target, digest }: PulledPlugin,
  repository: PullRepository,
  { host, as, layout, signal }: GatewayPullOptions,
): Promise<readonly Finding[]> {
  const reference = printReference(target);
  try {
    const { descriptor, bytes } = await repository.resolve(target.tag ?? digest, signal);
    if (descriptor.digest !== digest) throw contentMismatch({ ...descriptor, digest }, descriptor, "target");
    const why = layout(bytes, descriptor.mediaType);
    if (why !== undefined) return [finding("error", "plugin.layout", { plugin: name, reference, why })];
    const { blobs } = await readGraph(repository, descriptor, "target", signal);
    await firstBytes(repository, blobs.at(-1), signal);
    return [];
  } catch (error) {
    signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    if (isFailure(error, "REGISTRY_LOGIN_WRONG")) return [finding("error", "registry.credentials-wrong", { host, as })];
    if (isFailure(error, "REGISTRY_NOT_FOUND")) return [finding("error", "registry.not-pushed", { reference })];
    const project = projectOf(target.repository);
    const answer = `${reference}: ${failureInBrief(error)}`.slice(0, 300);
    return [finding("error", "registry.no-pull", { host, project, as, answer })];
  }
}

/** Asks only whether the blob can be had: its bytes were verified when they were pushed. */
async function firstBytes(
  repository: PullRepository,
  blob: Descriptor | undefined,
  signal?: AbortSignal,
): Promise<void> {
  if (blob === undefined) return;
  for await (const chunk of repository.fetch(blob, { signal })) if (chunk.byteLength > 0) break;
}
