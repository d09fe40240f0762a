/**
 * Tar headers as POSIX.1-2017 pax(1) "ustar interchange format" has them, plus GNU's base-256 for sizes of 8 GiB and
 * more, which GNU tar, bsdtar, Python and node-tar all read. One way to write a header, so that equal entries are equal
 * bytes; and no streams: whoever reads hops from header to header.
 */
export const tarBlock = 512;

/** `mtime` is seconds. Owner and group are always 0, without names: whoever packs leaves no trace of who that was. */
export interface TarHeader {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: number;
}

export interface DecodedHeader extends TarHeader {
  /** The type flag: `0` is a regular file. */
  readonly type: string;
}

/** Zero bytes between the end of `size` bytes and the next block. */
export function tarPadding(size: number): number {
  return (tarBlock - (size % tarBlock)) % tarBlock;
}

/** @throws RangeError when a member cannot be written */
export function encodeHeader({ name, size, mode, mtime }: TarHeader): Buffer {
  const block = Buffer.alloc(tarBlock);
  const { prefix, rest } = splitName(name);
  block.write(rest, 0, "ascii");
  writeOctal(block, mode, 100, 8);
  writeOctal(block, 0, 108, 8);
  writeOctal(block, 0, 116, 8);
  writeSize(block, size);
  writeOctal(block, mtime, 136, 12);
  block.write("0", 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  writeOctal(block, 0, 329, 8);
  writeOctal(block, 0, 337, 8);
  block.write(prefix, 345, "ascii");
  block.write(`${checksumOf(block).toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return block;
}

/** Reads a header, or says in a word what is wrong with it. Numbers are bounded by what a double holds exactly. */
export function decodeHeader(block: Buffer): DecodedHeader | { readonly wrong: string } {
  if (readOctal(block, 148, 8) !== checksumOf(block)) return { wrong: "header checksum" };
  if (block.toString("latin1", 257, 263) !== "ustar\u0000") return { wrong: "header magic" };
  const size = readSize(block);
  const mode = readOctal(block, 100, 8);
  const mtime = readOctal(block, 136, 12);
  if (size === undefined) return { wrong: "size" };
  if (mode === undefined || mtime === undefined) return { wrong: "mode or mtime" };
  const prefix = readText(block, 345, 155);
  const rest = readText(block, 0, 100);
  const type = String.fromCharCode(block[156] ?? 0);
  return { name: prefix === "" ? rest : `${prefix}/${rest}`, size, mode, mtime, type };
}

/** Plain loops over a known length: a callback, or `byteLength`, for each byte was most of what opening a bundle cost. */
export function isZero(bytes: Uint8Array): boolean {
  const { length } = bytes;
  for (let at = 0; at < length; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

function splitName(name: string): { prefix: string; rest: string } {
  if (!/^[\x21-\x7e]+$/.test(name)) throw new RangeError(`Tar name is not printable ASCII: ${name}`);
  if (name.length <= 100) return { prefix: "", rest: name };
  const slash = name.indexOf("/", name.length - 101);
  if (slash < 1 || slash > 155) throw new RangeError(`Tar name is too long: ${name}`);
  return { prefix: name.slice(0, slash), rest: name.slice(slash + 1) };
}

function writeOctal(block: Buffer, value: number, at: number, width: number): void {
  const digits = value.toString(8);
  if (!Number.isInteger(value) || value < 0 || digits.length >= width) throw new RangeError(`Tar number: ${value}`);
  block.write(digits.padStart(width - 1, "0"), at, "latin1");
}

const octalLimit = 8 ** 11;

function writeSize(block: Buffer, size: number): void {
  if (size < octalLimit) {
    writeOctal(block, size, 124, 12);
    return;
  }
  if (!Number.isSafeInteger(size)) throw new RangeError(`Tar size: ${size}`);
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}

function readSize(block: Buffer): number | undefined {
  if (block[124] !== 0x80) return readOctal(block, 124, 12);
  if (!isZero(block.subarray(125, 128))) return undefined;
  const size = Number(block.readBigUInt64BE(128));
  return Number.isSafeInteger(size) ? size : undefined;
}

function readOctal(block: Buffer, at: number, width: number): number | undefined {
  const match = /^([0-7]{1,11})[\0 ]{0,2}$/.exec(block.toString("latin1", at, at + width));
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 8);
}

function readText(block: Buffer, at: number, width: number): string {
  const end = block.indexOf(0, at);
  return block.toString("latin1", at, end < 0 || end > at + width ? at + width : end);
}

/** The sum of all bytes, the checksum's own eight read as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  const { length } = block;
  for (let at = 0; at < length; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum;
}
