/** Text in an encoding that is not read: a guess could be wrong, and wrong names or passwords would be worse than none. */
export class EncodingError extends Error {
  override readonly name = "EncodingError";
  /** As `iconv -f` calls it, as far as the bytes tell. */
  readonly encoding: string;

  constructor(encoding: string) {
    super(`text in ${encoding}`);
    this.encoding = encoding;
  }
}

/**
 * Text as editors on Windows and Linux save it: UTF-8, and UTF-16 where a byte order mark says so (Notepad's "Unicode",
 * PowerShell's `>`). The mark is dropped.
 * @throws EncodingError for anything else
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return decoded("utf-16le", bytes);
  if (first === 0xfe && second === 0xff) return decoded("utf-16be", bytes);
  if (bytes.includes(0)) throw new EncodingError(looksLikeUtf16(bytes) ?? "binary");
  return decoded("utf-8", bytes);
}

function decoded(encoding: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new EncodingError(encoding === "utf-8" ? otherThanUtf8(bytes) : encoding.toUpperCase());
  }
}

/** UTF-16 without a byte order mark: every other byte of Latin text in it is zero. */
function looksLikeUtf16(bytes: Uint8Array): string | undefined {
  const zeros = [0, 0];
  for (const [at, byte] of bytes.subarray(0, 4096).entries()) if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (even === 0 && odd > 0) return "UTF-16LE";
  return odd === 0 && even > 0 ? "UTF-16BE" : undefined;
}

const unknown = "8-bit";

/** Chinese Windows saves "ANSI" as GBK, of which GB 18030 is the larger set. */
function otherThanUtf8(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("gb18030", { fatal: true }).decode(bytes);
    return /\p{Script=Han}/u.test(text) ? "GB18030" : unknown;
  } catch {
    return unknown;
  }
}
