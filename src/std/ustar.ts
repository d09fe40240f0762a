/**
 * Tar headers as POSIX.1-2017 pax(1) "ustar interchange format" has them, plus GNU's base-256 for sizes of 8 GiB and
 * more, which GNU tar, bsdtar, Python and node-tar all read. One way to write a header, so that equal entries are equal
 * bytes; and no streams: whoever reads hops from header to header.
 */
export const tarBlock = 512;

/** Bytes of the two zero blocks that end a tar. */
export const endOfArchive = 2 * tarBlock;

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

/** What is the same in all of ours: no owners, no devices, a regular file. */
const template = Buffer.alloc(tarBlock);
template.write("0000000\u00000000000\u0000", 108, "latin1");
template.write("0", 156, "latin1");
template.write("ustar\u000000", 257, "latin1");
template.write("0000000\u00000000000\u0000", 329, "latin1");

/** Writes into `block` when there is one, over whatever it holds. @throws RangeError when a member cannot be written */
export function encodeHeader(
  { name, size, mode, mtime }: TarHeader,
  block: Buffer = Buffer.allocUnsafe(tarBlock),
): Buffer {
  const { prefix, rest } = splitName(name);
  template.copy(block);
  block.write(rest, 0, "latin1");
  writeOctal(block, mode, 100, 8);
  writeSize(block, size);
  writeOctal(block, mtime, 136, 12);
  if (prefix !== "") block.write(prefix, 345, "latin1");
  writeOctal(block, checksumOf(block), 148, 7);
  block[155] = 0x20;
  return block;
}

/** Reads a header, or says in a word what is wrong with it. Numbers are bounded by what a double holds exactly. */
export function decodeHeader(block: Buffer): DecodedHeader | { readonly wrong: string } {
  return readOctal(block, 148, 8) === checksumOf(block) ? decodeFields(block) : { wrong: "header checksum" };
}

/** For those who hold the block against what `encodeHeader` makes of it, the checksum included. */
export function decodeFields(block: Buffer): DecodedHeader | { readonly wrong: string } {
  if (template.compare(block, 257, 263, 257, 263) !== 0) return { wrong: "header magic" };
  const size = readSize(block);
  const mode = readOctal(block, 100, 8);
  const mtime = readOctal(block, 136, 12);
  if (size === undefined) return { wrong: "size" };
  // Eight digits fill the field to its end; no header of ours could be made of them.
  if (mode === undefined || mode >= 8 ** 7 || mtime === undefined) return { wrong: "mode or mtime" };
  const prefix = block[345] === 0 ? "" : readText(block, 345, 155);
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

const words = aligned();

function aligned(): { readonly bytes: Buffer; readonly view: Uint32Array } {
  const view = new Uint32Array(tarBlock / 4);
  return { bytes: Buffer.from(view.buffer), view };
}

function splitName(name: string): { prefix: string; rest: string } {
  if (!/^[\x21-\x7e]+$/.test(name)) throw new RangeError(`Tar name is not printable ASCII: ${name}`);
  if (name.length <= 100) return { prefix: "", rest: name };
  const slash = name.indexOf("/", name.length - 101);
  if (slash < 1 || slash > 155) throw new RangeError(`Tar name is too long: ${name}`);
  return { prefix: name.slice(0, slash), rest: name.slice(slash + 1) };
}

/** `width` counts the NUL at the end. */
function writeOctal(block: Buffer, value: number, at: number, width: number): void {
  const last = at + width - 1;
  let rest = value;
  for (let digit = last - 1; digit >= at; digit -= 1, rest = Math.floor(rest / 8)) block[digit] = 0x30 + (rest % 8);
  if (!Number.isInteger(value) || value < 0 || rest > 0) throw new RangeError(`Tar number: ${value}`);
  block[last] = 0;
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

/** One to eleven digits, then at most two NULs or spaces up to the end of the field. */
function readOctal(block: Buffer, at: number, width: number): number | undefined {
  const end = at + width;
  let value = 0;
  let index = at;
  for (; index < end; index += 1) {
    const digit = (block[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  if (index === at || index - at > 11 || end - index > 2) return undefined;
  for (; index < end; index += 1) if (block[index] !== 0 && block[index] !== 0x20) return undefined;
  return value;
}

function readText(block: Buffer, at: number, width: number): string {
  const end = block.indexOf(0, at);
  return block.toString("latin1", at, end < 0 || end > at + width ? at + width : end);
}

/** The sum of all bytes, the checksum's own eight read as spaces. Four at once: 512 bytes never fill 16 bits. */
function checksumOf(block: Buffer): number {
  block.copy(words.bytes);
  words.bytes.fill(0x20, 148, 156);
  let [even, odd] = [0, 0];
  for (let at = 0; at < tarBlock / 4; at += 1) {
    const four = words.view[at] ?? 0;
    even += four & 0x00ff00ff;
    odd += (four >>> 8) & 0x00ff00ff;
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}
