import type { Digest } from "../../model/digest.ts";

/** Bytes of a known size and digest, read from any offset; what is yielded is not yet verified. */
export interface Content {
  readonly size: number;
  readonly digest: Digest;
  open(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export type Headers = Readonly<Record<string, string>>;

/**
 * What an operation answers. Operations decide what, `respond` knows how: HEAD, Range, conditions, verification and
 * back-pressure are the same for all of them.
 */
export type Answer = JsonAnswer | ContentAnswer;

export interface JsonAnswer {
  readonly kind: "json";
  readonly status: number;
  readonly value: object;
  readonly headers: Headers;
}

export interface ContentAnswer {
  readonly kind: "content";
  readonly content: Content;
  readonly headers: Headers;
}

/** Codes of https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes, and distribution's. */
const messages = {
  BLOB_UNKNOWN: "blob unknown to registry",
  DIGEST_INVALID: "provided digest is not sha256:<64 hex>",
  MANIFEST_UNKNOWN: "manifest unknown",
  NAME_UNKNOWN: "repository name not known to registry",
  NOT_FOUND: "no such path",
  PAGINATION_NUMBER_INVALID: "n is not a number",
  UNAUTHORIZED: "authentication required",
  UNAVAILABLE: "content cannot be read",
  UNSUPPORTED: "the registry is read-only",
} as const;

export type ErrorCode = keyof typeof messages;

const statuses: Readonly<Record<ErrorCode, number>> = {
  BLOB_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_UNKNOWN: 404,
  NOT_FOUND: 404,
  PAGINATION_NUMBER_INVALID: 400,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 500,
  UNSUPPORTED: 405,
};

export function refusal(code: ErrorCode, detail: object = {}, headers: Headers = {}): JsonAnswer {
  const value = { errors: [{ code, message: messages[code], detail }] };
  return { kind: "json", status: statuses[code], value, headers };
}

export function json(value: object, headers: Headers = {}): JsonAnswer {
  return { kind: "json", status: 200, value, headers };
}
