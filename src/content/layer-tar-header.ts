/** One 512-byte header of a tar as container tools write it: ustar, pax and GNU long names. */
export interface TarHeader {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

export const tarBlock = 512;

/** `undefined` for a block of zeros, `"damaged"` when the checksum does not hold. */
export function readTarHeader(block: Buffer): TarHeader | "damaged" | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!checksumHolds(block)) return "damaged";
  const size = readNumber(block.subarray(124, 136));
  if (size === undefined) return "damaged";
  const prefix = block.toString("latin1", 257, 262) === "ustar" ? text(block.subarray(345, 500)) : "";
  const name = text(block.subarray(0, 100));
  // A GNU header has times where ustar has the prefix; its magic ends in a blank instead of a NUL.
  const posix = block[262] === 0;
  return {
    name: posix && prefix !== "" ? `${prefix}/${name}` : name,
    size,
    type: String.fromCharCode(block[156] ?? 0).replace("\0", "0"),
  };
}

function checksumHolds(block: Buffer): boolean {
  const said = readNumber(block.subarray(148, 156));
  let sum = 8 * 0x20;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return said === sum;
}

/** Octal text, or base 256 when the first bit is set. Negative and beyond 2^53 are refused. */
function readNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0;
  if ((first & 0x80) === 0) {
    const digits = text(field).trim();
    return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : undefined;
  }
  let value = first & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return Number.isSafeInteger(value) ? value : undefined;
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? field.length : end);
}

/** `LENGTH KEY=VALUE\n` records; only the two that move an entry are of interest. `undefined` when they do not parse. */
export function readPax(body: Buffer): { readonly path?: string; readonly size?: number } | undefined {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < body.length;) {
    const blank = body.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(body.toString("latin1", at, blank));
    const record = body.subarray(blank + 1, at + length - 1).toString("utf8");
    const equals = record.indexOf("=");
    if (!Number.isInteger(length) || length <= blank + 1 - at || at + length > body.length || equals < 0)
      return undefined;
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === "path") found.path = value;
    if (key === "size") {
      if (!/^\d{1,15}$/.test(value)) return undefined;
      found.size = Number(value);
    }
    at += length;
  }
  return found;
}
