import type { Refuse } from "./malformed.ts";

/** Reads SHA256SUMS as coreutils print it: name to hex, in file order. */
export function parseSums(text: string, refuse: Refuse): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  if (!text.endsWith("\n")) throw refuse("SHA256SUMS", "no final newline");
  for (const line of text.slice(0, -1).split("\n")) {
    const match = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) throw refuse("SHA256SUMS", line);
    if (sums.has(match[2])) throw refuse("SHA256SUMS", `${match[2]}: twice`);
    sums.set(match[2], match[1]);
  }
  return sums;
}
