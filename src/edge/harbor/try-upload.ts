import { isFailure } from "../../model/failure.ts";
import { failureOfResponse } from "../registry/errors.ts";
import type { Remote } from "../registry/remote.ts";
import { uploadUrl } from "../registry/location.ts";
import type { WireResponse } from "../registry/transport.ts";

export type TriedUpload =
  | { readonly state: "taken" }
  | { readonly state: "too-large"; readonly size: number }
  | { readonly state: "refused"; readonly status: number; readonly answer: string };

/**
 * Begins an upload, sends `size` zeros and leaves it: without the closing PUT nothing is stored, and the session is
 * purged by the registry. DELETE would need a right that who may push mostly does not have
 * (docs/facts/harbor.md#uploads).
 */
export async function tryUpload(remote: Remote, size: number, signal?: AbortSignal): Promise<TriedUpload> {
  const action = `PATCH ${remote.name}`;
  const scopes = remote.writeScopes;
  const begun = await remote.endpoint.send({
    method: "POST",
    to: remote.url("blobs/uploads/"),
    action: `POST ${remote.name}`,
    scopes,
    headers: { "content-length": "0" },
    signal,
  });
  if (begun.status !== 202) return refused(remote, begun, `POST ${remote.name}`);
  await begun.body.drain();
  const to = uploadUrl(remote, begun, action);
  const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
  const body = Buffer.alloc(size);
  const response = await remote.endpoint.send({ method: "PATCH", to, action, scopes, headers, body, signal });
  if (response.status === 413) {
    await response.body.drain();
    return { state: "too-large", size };
  }
  if (response.status < 200 || response.status > 299) return refused(remote, response, action);
  await response.body.drain();
  return { state: "taken" };
}

async function refused(remote: Remote, response: WireResponse, action: string): Promise<TriedUpload> {
  const failure = await failureOfResponse(response, remote.endpoint.context(action));
  const answer = isFailure(
    failure,
    "REGISTRY_DENIED",
    "REGISTRY_UNAUTHORIZED",
    "REGISTRY_REFUSED",
    "REGISTRY_NOT_FOUND",
  )
    ? failure.facts.answer
    : failure.code;
  return { state: "refused", status: response.status, answer };
}
