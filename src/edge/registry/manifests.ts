import type { DescribedContent } from "../../content/store.ts";
import { maxManifestSize, type Descriptor } from "../../model/descriptor.ts";
import { digestOf, isDigest, type Digest } from "../../model/digest.ts";
import { isManifest, manifestAccept } from "../../model/media-type.ts";
import { sniffMediaType } from "../../model/manifest.ts";
import { failureOfResponse, mismatchFailure, type RegistryFailure } from "./errors.ts";
import { onceMore, type Remote } from "./remote.ts";
import type { WireResponse } from "./transport.ts";

/** `nginx:1.25` or `nginx@sha256:…`. */
function printed(remote: Remote, pointer: string): string {
  return `${remote.name}${isDigest(pointer) ? "@" : ":"}${pointer}`;
}

/** The exact bytes of a manifest; what the registry calls them must be what they are. */
export function getManifest(remote: Remote, pointer: string, signal?: AbortSignal): Promise<DescribedContent> {
  const action = `GET ${printed(remote, pointer)}`;
  return remote.attempt({ what: action, signal, also: onceMore }, async () => {
    const response = await readManifest(remote, "GET", pointer, signal);
    if (response.status !== 200) throw await refusedManifest(remote, response, action);
    const bytes = await remote.endpoint.read(response, maxManifestSize, action, signal);
    const digest = digestOf(bytes);
    for (const said of [isDigest(pointer) ? pointer : undefined, saidDigest(response)]) {
      if (said !== undefined && said !== digest) {
        throw mismatchFailure(printed(remote, pointer), said, digest, remote.side);
      }
    }
    return { descriptor: { mediaType: mediaTypeOf(response, bytes), digest, size: bytes.byteLength }, bytes };
  });
}

/** What HEAD says; `undefined`: there is none. A registry whose HEAD says too little is asked again by GET. */
export function headManifest(remote: Remote, pointer: string, signal?: AbortSignal): Promise<Descriptor | undefined> {
  const action = `HEAD ${printed(remote, pointer)}`;
  return remote.attempt({ what: action, signal }, async () => {
    const response = await readManifest(remote, "HEAD", pointer, signal);
    if (response.status === 404) return drained(response, undefined);
    if (response.status !== 200) throw await refusedManifest(remote, response, action);
    const digest = saidDigest(response) ?? (isDigest(pointer) ? pointer : undefined);
    const size = Number(response.header("content-length")[0] ?? "NaN");
    const mediaType = contentType(response);
    await response.body.drain();
    if (digest === undefined || !Number.isSafeInteger(size) || !isManifest(mediaType)) {
      return (await getManifest(remote, pointer, signal)).descriptor;
    }
    if (isDigest(pointer) && pointer !== digest) {
      throw mismatchFailure(printed(remote, pointer), pointer, digest, remote.side);
    }
    return { mediaType, digest, size };
  });
}

/**
 * Stored or not. Harbor answers 412 for one that is stored and that its policies do not let us pull
 * (docs/facts/harbor.md#policies), which is "stored".
 */
export function hasManifest(remote: Remote, descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
  const action = `HEAD ${printed(remote, descriptor.digest)}`;
  return remote.attempt({ what: action, signal }, async () => {
    const response = await readManifest(remote, "HEAD", descriptor.digest, signal, descriptor.mediaType);
    if (response.status === 200 || response.status === 412) return drained(response, true);
    if (response.status === 404) return drained(response, false);
    throw await refusedManifest(remote, response, action);
  });
}

/** By digest or tag. Its children must be there already. */
export function putManifest(
  remote: Remote,
  pointer: string,
  content: DescribedContent,
  signal?: AbortSignal,
): Promise<void> {
  const action = `PUT ${printed(remote, pointer)}`;
  const { descriptor, bytes } = content;
  return remote.attempt({ what: action, signal, also: missingChild }, async () => {
    const response = await remote.endpoint.expect(
      {
        method: "PUT",
        to: remote.url(`manifests/${pointer}`),
        action,
        scopes: remote.writeScopes,
        headers: { "content-type": descriptor.mediaType, "content-length": String(bytes.byteLength) },
        body: bytes,
        signal,
      },
      [200, 201, 202, 204],
    );
    await response.body.drain();
    const said = saidDigest(response);
    if (said !== undefined && said !== descriptor.digest) {
      throw mismatchFailure(printed(remote, pointer), descriptor.digest, said, remote.side);
    }
  });
}

/**
 * Replicas and caches lag behind a finished upload: 400 and 404 here mend themselves, or do not
 * (docs/facts/harbor.md#bulk-pushes).
 */
function missingChild(failure: RegistryFailure): number | undefined {
  return failure.status === 404 || failure.codes.includes("MANIFEST_BLOB_UNKNOWN") ? 3 : undefined;
}

function readManifest(
  remote: Remote,
  method: "GET" | "HEAD",
  pointer: string,
  signal?: AbortSignal,
  accept: string = manifestAccept,
): Promise<WireResponse> {
  return remote.endpoint.send({
    method,
    to: remote.url(`manifests/${pointer}`),
    action: `${method} ${printed(remote, pointer)}`,
    scopes: remote.readScopes,
    headers: { accept },
    signal,
  });
}

/** Alibaba's registry answers 401 for a tag that is not there; whoever reads "unauthorized" must not hunt for a password. */
async function refusedManifest(remote: Remote, response: WireResponse, action: string): Promise<RegistryFailure> {
  const context = remote.endpoint.context(action);
  const isAcr = response.status === 401 && /(^|[.(])aliyuncs\.com/.test(context.host);
  const clean = isAcr ? (text: string, limit?: number) => `acr ${context.clean(text, limit)}`.trim() : context.clean;
  return failureOfResponse(response, { ...context, clean });
}

function saidDigest(response: WireResponse): Digest | undefined {
  const said = response.header("docker-content-digest")[0]?.trim() ?? "";
  return isDigest(said) ? said : undefined;
}

function contentType(response: WireResponse): string {
  return (response.header("content-type")[0] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** Static mirrors serve manifests as `application/json` or octets: then the document itself says what it is. */
function mediaTypeOf(response: WireResponse, bytes: Buffer): string {
  const said = contentType(response);
  if (said.startsWith("application/vnd.")) return said;
  try {
    return sniffMediaType(JSON.parse(bytes.toString("utf8")));
  } catch {
    return said;
  }
}

async function drained<T>(response: WireResponse, value: T): Promise<T> {
  await response.body.drain();
  return value;
}
