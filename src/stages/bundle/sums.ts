import type { Refuse } from "./malformed.ts";

const sha256 = /^[0-9a-f]{64}$/;

/** Reads SHA256SUMS as coreutils print it: name to hex, in file order. */
export function parseSums(text: string, refuse: Refuse): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  if (!text.endsWith("\n")) throw refuse("SHA256SUMS", "no final newline");
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const hex = text.slice(at, at + 64);
    const name = text.slice(at + 66, end);
    if (!sha256.test(hex) || text.slice(at + 64, at + 66) !== "  " || name === "" || /\s/.test(name))
      throw refuse("SHA256SUMS", text.slice(at, end));
    if (sums.has(name)) throw refuse("SHA256SUMS", `${name}: twice`);
    sums.set(name, hex);
    at = end + 1;
  }
  return sums;
}
