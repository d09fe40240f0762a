import { createHash } from "node:crypto";

import type { ImageName } from "./reference.ts";
import { PullError, session, type Ask, type Registries } from "./registry.ts";
import type { Credential } from "./secrets.ts";

/** An image that is in the registry, whole, for this node's platform. */
export interface Pulled {
  /** Of what the name points to: the index where there is one. */
  readonly digest: string;
  /** As the image's config says; undefined when it says nothing. */
  readonly architecture: string | undefined;
}

export interface PullOptions {
  readonly image: string;
  readonly name: ImageName;
  readonly credentials: readonly Credential[];
  readonly registries: Registries;
  readonly architecture: string;
  readonly signal?: AbortSignal;
}

/**
 * Does over HTTP what a pull does, except keep the layers: they are asked for with HEAD. Nothing is taken from an
 * earlier pull, so an image that is gone from the registry cannot start, other than on a real node.
 * @throws PullError in containerd's words
 */
export async function pull({
  image,
  name,
  credentials,
  registries,
  architecture,
  signal,
}: PullOptions): Promise<Pulled> {
  let failure = new PullError("no attempt was made");
  // Like the kubelet: every credential that fits, and without any only when none does.
  for (const credential of credentials.length > 0 ? credentials : [undefined]) {
    const ask = session({ registries, host: name.host, repository: name.repository, credential, signal });
    try {
      return await pullWith(ask, image, name.version, architecture);
    } catch (error) {
      if (!(error instanceof PullError)) throw error;
      failure = new PullError(`failed to pull and unpack image "${image}": ${error.message}`);
    }
  }
  throw failure;
}

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
  readonly urls?: readonly string[];
}

interface Manifest {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

const accept = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");

async function pullWith(ask: Ask, image: string, version: string, architecture: string): Promise<Pulled> {
  const root = await resolve(ask, image, version);
  const manifest =
    root.manifest.manifests === undefined ? root.manifest : await childFor(ask, root.manifest, architecture);
  for (const layer of manifest.layers ?? []) {
    // Layers with urls of their own are not in the registry by design.
    if (layer.urls === undefined) await content(ask, "HEAD", `blobs/${layer.digest}`);
  }
  const config =
    manifest.config === undefined ? undefined : await content(ask, "GET", `blobs/${manifest.config.digest}`);
  return { digest: root.digest, architecture: architectureIn(config) };
}

async function resolve(ask: Ask, image: string, version: string): Promise<{ manifest: Manifest; digest: string }> {
  try {
    const answer = await ask("GET", `manifests/${version}`, accept);
    if (answer.status === 404) throw new PullError(`${image}: not found`);
    if (answer.status !== 200) {
      const status = `${String(answer.status)} ${answer.statusText}`;
      throw new PullError(`unexpected status from HEAD request to ${answer.url}: ${status}`);
    }
    const digest = `sha256:${createHash("sha256").update(answer.body).digest("hex")}`;
    if (version.includes(":") && digest !== version) throw new PullError(`${image}: content has digest ${digest}`);
    return { digest, manifest: JSON.parse(answer.body.toString()) as Manifest };
  } catch (error) {
    if (!(error instanceof PullError)) throw error;
    throw new PullError(`failed to resolve reference "${image}": ${error.message}`);
  }
}

async function childFor(ask: Ask, index: Manifest, architecture: string): Promise<Manifest> {
  const child = index.manifests?.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === architecture,
  );
  if (child === undefined) throw new PullError("no match for platform in manifest: not found");
  return JSON.parse((await content(ask, "GET", `manifests/${child.digest}`)).toString()) as Manifest;
}

async function content(ask: Ask, method: "GET" | "HEAD", path: string): Promise<Buffer> {
  const answer = await ask(method, path, path.startsWith("manifests/") ? accept : "*/*");
  const failed = "failed to copy: httpReadSeeker: failed open";
  if (answer.status === 404) throw new PullError(`${failed}: content at ${answer.url} not found: not found`);
  // A redirect means that the registry has the blob, on storage that is not simulated here.
  if (answer.status >= 400)
    throw new PullError(`${failed}: unexpected status code ${answer.url}: ${String(answer.status)}`);
  return answer.body;
}

function architectureIn(config: Buffer | undefined): string | undefined {
  try {
    const { architecture } = JSON.parse(config?.toString() ?? "") as { architecture?: unknown };
    return typeof architecture === "string" ? architecture : undefined;
  } catch {
    return undefined; // The config of a chart or a plugin is not an image's.
  }
}
