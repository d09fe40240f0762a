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
  // Backwards is not a range at all, and so is ignored.
  return last < first ? "whole" : { first, last: Math.min(last, size - 1) };
}
