import type { Descriptor } from "../../model/descriptor.ts";
import { isManifest } from "../../model/media-type.ts";
import { failureOfError, protocolFailure, sizeMismatch } from "./errors.ts";
import { type Remote, onceMore } from "./remote.ts";
import type { WireBody, WireResponse } from "./transport.ts";

/** Less than this between two cuts is no progress: a peer that drips one byte per connection must not go on for ever. */
const minProgress = 64 * 1024;

/**
 * The bytes of a blob (or manifest) from `offset`. A connection that is cut, stalls or drips is replaced, and the blob
 * goes on where it stopped; what was yielded is never taken back, and it is the reader who verifies it. Ends only after
 * exactly `size` bytes.
 */
export async function* download(
  remote: Remote,
  descriptor: Descriptor,
  offset: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const transfer: Download = { remote, descriptor, signal, action: `GET ${remote.name}@${descriptor.digest}` };
  let at = offset;
  let cuts = 0;
  let broken: Error | undefined;
  let etag: string | undefined;
  while (at < descriptor.size) {
    const resumed = await reopen(transfer, { at, etag, broken });
    etag = resumed.etag;
    const start = at;
    try {
      let { skip } = resumed;
      for await (const chunk of resumed.body) {
        const fresh = skip === 0 ? chunk : chunk.subarray(skip);
        skip -= chunk.byteLength - fresh.byteLength;
        if (fresh.byteLength === 0) continue;
        // Before it is counted: where it goes on is after what the reader has, and none of this is.
        const end = at + fresh.byteLength;
        if (end > descriptor.size) throw sizeMismatch(descriptor, end, remote.side);
        at = end;
        yield fresh;
      }
      if (at >= descriptor.size) return;
      // Properly ended and yet too short: a proxy that lost its upstream does this.
      broken = sizeMismatch(descriptor, at, remote.side, 0);
    } catch (error) {
      signal?.throwIfAborted();
      broken = failureOfError(error, remote.endpoint.context(transfer.action));
    } finally {
      resumed.body.destroy();
    }
    cuts = at - start >= minProgress ? 1 : cuts + 1;
    if (cuts >= remote.attempts) throw broken;
  }
}

interface Download {
  readonly remote: Remote;
  readonly descriptor: Descriptor;
  readonly action: string;
  readonly signal: AbortSignal | undefined;
}

interface Position {
  readonly at: number;
  /** Of the first answer: what was replaced meanwhile must not be glued to what we have. */
  readonly etag: string | undefined;
  /** Why the connection before this one ended; counts as its first attempt, so that the policy waits. */
  readonly broken: Error | undefined;
}

interface Opened {
  readonly body: WireBody;
  readonly etag: string | undefined;
  /** Bytes at its start that we have already: a server without ranges sends everything again. */
  readonly skip: number;
}

function reopen(transfer: Download, position: Position): Promise<Opened> {
  const { remote, action, signal } = transfer;
  return remote.attempt({ what: action, signal, also: onceMore }, async (attempt) => {
    if (attempt === 1 && position.broken !== undefined) throw position.broken;
    return open(transfer, position);
  });
}

async function open({ remote, descriptor, action, signal }: Download, { at, etag }: Position): Promise<Opened> {
  const range = at === 0 ? {} : { range: `bytes=${at}-`, ...(etag === undefined ? {} : { "if-range": etag }) };
  const manifest = isManifest(descriptor.mediaType);
  const response = await remote.endpoint.expect(
    {
      method: "GET",
      to: remote.url(`${manifest ? "manifests" : "blobs"}/${descriptor.digest}`),
      action,
      scopes: remote.readScopes,
      headers: { accept: manifest ? descriptor.mediaType : "*/*", ...range },
      expects: descriptor.size - at,
      signal,
    },
    [200, 206],
  );
  try {
    checkRange(remote, response, descriptor, { at, action });
  } catch (error) {
    response.body.destroy();
    throw error;
  }
  return { body: response.body, etag: strongEtag(response) ?? etag, skip: response.status === 200 ? at : 0 };
}

/** Only a strong one may stand in If-Range: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5 */
function strongEtag(response: WireResponse): string | undefined {
  const etag = response.header("etag")[0];
  return etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
}

/** What it sends must be what was asked for: glued at the wrong place, good bytes make a bad blob. */
function checkRange(
  remote: Remote,
  response: WireResponse,
  descriptor: Descriptor,
  { at, action }: { readonly at: number; readonly action: string },
): void {
  const refuse = (why: string): Error => protocolFailure(remote.endpoint.context(action), why);
  const length = response.header("content-length")[0];
  if (response.status === 200) {
    if (length !== undefined && Number(length) !== descriptor.size) {
      throw sizeMismatch(descriptor, Number(length), remote.side);
    }
    return;
  }
  const said = response.header("content-range")[0] ?? "";
  if (!isPart(said, at, descriptor.size)) {
    throw refuse(`Content-Range ${said || "missing"} for bytes=${at}- of ${descriptor.size}`);
  }
}

/** A part that ends early is a right answer: what is missing is asked for next. */
function isPart(range: string, at: number, size: number): boolean {
  const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? [];
  if (Number(start) !== at || !(Number(end) >= at && Number(end) < size)) return false;
  return total === "*" || Number(total) === size;
}
