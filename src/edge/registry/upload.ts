import { verified } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { isFailure } from "../../model/failure.ts";
import { abortable } from "../../std/abortable.ts";
import { headBlob, uploadUrl } from "./blobs.ts";
import type { RegistryFailure } from "./errors.ts";
import { mismatchFailure } from "./errors.ts";
import type { Remote } from "./remote.ts";
import type { WireResponse } from "./transport.ts";

export interface UploadOptions {
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  /** An upload session that a refused mount left behind. */
  readonly session?: URL | undefined;
  /** Known to be absent: saves a round trip per blob. */
  readonly absent?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

const octets = { "content-type": "application/octet-stream" };

/**
 * HEAD, POST, PUT: the whole blob in one request, since a length lets Harbor check the quota first. A proxy that refuses
 * large bodies (413) or gives up on them twice gets PATCHes instead, smaller ones when it refuses again. An upload that
 * broke begins again at POST: a session whose PATCH broke is cancelled by distribution
 * (docs/facts/harbor.md#a-broken-patch-ends-the-session).
 */
export async function uploadBlob(remote: Remote, descriptor: Descriptor, options: UploadOptions): Promise<void> {
  const { signal } = options;
  const action = `PUT ${remote.name}@${descriptor.digest}`;
  const source = new UploadSource(descriptor, options);
  const learn = remote.parts.learner();
  await remote.attempt({ what: action, signal, also: again, final: () => source.failed }, async (attempt) => {
    if ((attempt > 1 || options.absent !== true) && (await headBlob(remote, descriptor, signal))) return;
    let session = attempt === 1 ? options.session : undefined;
    for (let sent = false; !sent; session = undefined) {
      const size = Math.min(remote.parts.size, descriptor.size);
      try {
        await transfer({ remote, descriptor, source, action, signal }, session, size);
        sent = true;
      } catch (error) {
        // Our own end broke: what the target made of that says nothing.
        if (source.failed) throw source.error;
        // Smaller ones are not a try of the policy's: nothing was away, and waiting would change nothing.
        if (!learn(error, size)) throw error;
      }
    }
  });
}

/** What docs/facts/harbor.md#bulk-pushes allows beyond plain network trouble. */
function again(failure: RegistryFailure): number | undefined {
  // A stream cannot be sent twice, so the one renewed try of a 401 is a new upload.
  if (isFailure(failure, "REGISTRY_UNAUTHORIZED")) return failure.facts.action.startsWith("POST ") ? undefined : 2;
  if (failure.status === 404 && failure.codes.some((code) => code.startsWith("BLOB_UPLOAD_"))) return 5;
  // What left here was verified: the bytes changed on the way.
  return failure.codes.includes("DIGEST_INVALID") ? 2 : undefined;
}

interface Upload {
  readonly remote: Remote;
  readonly descriptor: Descriptor;
  readonly source: UploadSource;
  readonly action: string;
  readonly signal: AbortSignal | undefined;
}

async function transfer(transfer: Upload, session: URL | undefined, partSize: number): Promise<void> {
  const { descriptor, source } = transfer;
  let url = session ?? (await startUpload(transfer));
  const body = source.begin();
  try {
    if (partSize >= descriptor.size) {
      await finish(transfer, url, { size: descriptor.size, body: body.part(descriptor.size) });
      return;
    }
    for (let at = 0; at < descriptor.size; at += partSize) {
      const size = Math.min(partSize, descriptor.size - at);
      url = await patch(transfer, url, { size, body: body.part(size) }, at);
    }
    await finish(transfer, url, { size: 0, body: undefined });
  } finally {
    // A source that hangs must not hold up whoever gave up on it.
    await abortable(body.close(), transfer.signal).catch(() => undefined);
  }
}

async function startUpload({ remote, descriptor, signal }: Upload): Promise<URL> {
  const action = `POST ${remote.name}@${descriptor.digest}`;
  const to = remote.url("blobs/uploads/");
  const scopes = remote.writeScopes;
  const headers = { "content-length": "0" };
  const response = await remote.endpoint.expect({ method: "POST", to, action, scopes, headers, signal }, [202]);
  await response.body.drain();
  return uploadUrl(remote, response, action);
}

interface Part {
  readonly size: number;
  readonly body: AsyncIterable<Uint8Array> | undefined;
}

async function patch(transfer: Upload, url: URL, part: Part, at: number): Promise<URL> {
  const { remote, action } = transfer;
  // Distribution does not read Content-Range here; registries that do, want it
  // (docs/facts/harbor.md#content-range-is-not-read).
  const range = { "content-range": `${at}-${at + part.size - 1}` };
  const response = await sendPart(
    transfer,
    "PATCH",
    { to: url, part, headers: { ...octets, ...range } },
    [202, 201, 204],
  );
  await response.body.drain();
  return uploadUrl(remote, response, action);
}

async function finish(transfer: Upload, url: URL, part: Part): Promise<void> {
  const { remote, descriptor } = transfer;
  const to = new URL(url);
  to.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${encodeURIComponent(descriptor.digest)}`;
  const response = await sendPart(transfer, "PUT", { to, part, headers: octets }, [201, 200, 204]);
  await response.body.drain();
  const said = response.header("docker-content-digest")[0];
  if (said !== undefined && said !== descriptor.digest) {
    throw mismatchFailure(`${remote.name}@${descriptor.digest}`, descriptor.digest, said.slice(0, 100), remote.side);
  }
}

function sendPart(
  { remote, action, signal }: Upload,
  method: "PATCH" | "PUT",
  { to, part, headers }: { readonly to: URL; readonly part: Part; readonly headers: Readonly<Record<string, string>> },
  wanted: readonly number[],
): Promise<WireResponse> {
  const all = { ...headers, "content-length": String(part.size) };
  const body = part.size === 0 ? undefined : part.body;
  return remote.endpoint.expect({ method, to, action, scopes: remote.writeScopes, headers: all, body, signal }, wanted);
}

/** Bytes of one write to a socket. */
const maxChunk = 1024 * 1024;
/** A socket that takes at least its own buffer's worth has sent it when it asks for more; less may still wait in it. */
const ownedBelow = 128 * 1024;

/** One try at sending a blob: handed out in parts, read once. */
export interface UploadBody {
  /** The next `size` bytes. The blob's last byte is held back until all of it is verified, so nothing bad is complete. */
  part(size: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** The content of one upload, over all its tries. */
export class UploadSource {
  readonly #want: Descriptor;
  readonly #options: Pick<UploadOptions, "open" | "onBytes">;
  #error: Error | undefined;
  /** How many bytes the try that came farthest has sent: what is sent again is no progress. */
  #farthest = 0;

  constructor(want: Descriptor, options: Pick<UploadOptions, "open" | "onBytes">) {
    this.#want = want;
    this.#options = options;
  }

  /** Whether reading failed, rather than sending. */
  get failed(): boolean {
    return this.#error !== undefined;
  }

  get error(): Error {
    return this.#error ?? new Error("the source did not fail");
  }

  begin(): UploadBody {
    const chunks = this.#chunks();
    let rest: Uint8Array | undefined;
    const part = async function* (size: number): AsyncGenerator<Uint8Array, void, undefined> {
      let left = size;
      while (left > 0) {
        const next: IteratorResult<Uint8Array, void> = rest === undefined ? await chunks.next() : { value: rest };
        rest = undefined;
        if (next.done === true) return;
        const chunk = next.value;
        const now = Math.min(left, chunk.byteLength, maxChunk);
        if (now < chunk.byteLength) rest = chunk.subarray(now);
        left -= now;
        yield now < ownedBelow ? Uint8Array.from(chunk.subarray(0, now)) : chunk.subarray(0, now);
      }
    };
    return {
      part,
      close: async () => {
        await chunks.return().catch(() => undefined);
      },
    };
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#want;
    let sent = 0;
    let last: Uint8Array | undefined;
    try {
      for await (const chunk of verified(this.#options.open(0), this.#want, "bundle")) {
        if (chunk.byteLength === 0) continue;
        sent += chunk.byteLength;
        this.#progress(sent);
        if (sent < size) yield chunk;
        else {
          last = Uint8Array.from(chunk.subarray(-1));
          if (chunk.byteLength > 1) yield chunk.subarray(0, -1);
        }
      }
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
    if (last !== undefined) yield last;
  }

  #progress(sent: number): void {
    if (sent <= this.#farthest) return;
    this.#options.onBytes?.(sent - this.#farthest);
    this.#farthest = sent;
  }
}
