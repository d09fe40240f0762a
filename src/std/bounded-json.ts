export interface JsonBounds {
  /** Bytes. @default 64 MiB */
  readonly size?: number | undefined;
  /** Values, counted together with keys: what they become in memory is some forty times what they are in a file. @default 2,000,000 */
  readonly values?: number | undefined;
  /** @default 64 */
  readonly depth?: number | undefined;
}

/** Why a text is not read as JSON; the words are short, for whoever fits them into a sentence. */
export class JsonError extends Error {
  constructor(why: string) {
    super(why);
    this.name = "JsonError";
  }
}

/**
 * Reads JSON that nobody vouches for. Size, count and nesting are taken from the bytes before the parser sees them: an
 * array of 60 MiB is 800 MiB of memory once it is parsed.
 * @throws JsonError
 */
export function parseBounded(text: string | Uint8Array, bounds: JsonBounds = {}): unknown {
  const { size = 64 * 1024 ** 2, values = 2_000_000, depth = 64 } = bounds;
  const length = typeof text === "string" ? Buffer.byteLength(text) : text.byteLength;
  if (length > size) throw new JsonError(`> ${size} B`);
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const seen = count(bytes);
  if (seen.depth > depth) throw new JsonError(`nested > ${depth}`);
  if (seen.values > values) throw new JsonError(`> ${values} values`);
  try {
    return JSON.parse(typeof text === "string" ? text : new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    throw new JsonError("JSON");
  }
}

/** What a byte outside of a string does to the nesting; 2: a value more, at the same level. */
const effectOf = new Int8Array(256);
effectOf.set([1], 0x5b);
effectOf.set([1], 0x7b);
effectOf.set([-1], 0x5d);
effectOf.set([-1], 0x7d);
effectOf.set([2], 0x2c);
effectOf.set([2], 0x3a);

/** Outside of strings each comma, colon and opening bracket stands before one more value at most. */
function count(bytes: Uint8Array): { readonly depth: number; readonly values: number } {
  let [depth, deepest, values] = [0, 0, 1];
  const { length } = bytes;
  for (let at = 0; at < length; at += 1) {
    if (bytes[at] === 0x22) {
      at = endOfString(bytes, at + 1);
      continue;
    }
    const effect = effectOf[bytes[at] ?? 0] ?? 0;
    if (effect > 0) values += 1;
    if (effect < 2) depth += effect;
    if (depth > deepest) deepest = depth;
  }
  return { depth: deepest, values };
}

function endOfString(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let at = from;
  while (at < length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at;
}
