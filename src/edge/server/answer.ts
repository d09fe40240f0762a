import type { IncomingHttpHeaders } from "node:http";
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

interface ContentAnswer {
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

type ErrorCode = keyof typeof messages;

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

/** Bytes `first` to `last`, both included, as `Content-Range` counts them. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range header (RFC 9110 §14.2) for content of `size` bytes. Several ranges, other units and what does not
 * parse are `whole`: a server may always send everything.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "whole" | "unsatisfiable" {
  const match = /^bytes=[ \t]*(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))[ \t]*$/i.exec(header ?? "");
  if (match === null) return "whole";
  const [, first, last, suffix] = match;
  if (first !== undefined) return between(Number(first), last === undefined ? size - 1 : Number(last), size);
  const length = Math.min(Number(suffix), size);
  return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 };
}

function between(first: number, last: number, size: number): ByteRange | "whole" | "unsatisfiable" {
  if (first >= size) return "unsatisfiable";
  // A range whose end is before its start is invalid, and an invalid one is ignored (RFC 9110 §14.2).
  return last < first ? "whole" : { first, last: Math.min(last, size - 1) };
}

/** What a GET of content comes down to, once its conditions (RFC 9110 §13) were weighed. */
type Selection = ByteRange | "whole" | "unsatisfiable" | "unmodified";

/** Content is named by its digest, so its entity tag is strong and never changes. */
export function select(headers: IncomingHttpHeaders, etag: string, size: number): Selection {
  if (matches(headers["if-none-match"], etag)) return "unmodified";
  // A date in If-Range can never match: there are no dates here.
  const condition = headers["if-range"];
  if (condition !== undefined && condition !== etag) return "whole";
  return parseRange(headers.range, size);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((entry) => entry.trim().replace(/^W\//, "") === etag);
}

/** Whether an Accept header lets `mediaType` through; none at all, and an empty one, let everything through. */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === "") return true;
  const family = `${mediaType.split("/")[0] ?? ""}/*`;
  return header.split(",").some((entry) => {
    const [range = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    return !refused && (range === "*/*" || range === family || range === mediaType);
  });
}
