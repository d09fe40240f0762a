import type { IncomingHttpHeaders } from "node:http";
import { parseRange, type ByteRange } from "./range.ts";

/** What a GET of content comes down to, once its conditions (RFC 9110 §13) were weighed. */
export type Selection = ByteRange | "whole" | "unsatisfiable" | "unmodified";

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
