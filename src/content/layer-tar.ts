import type { Descriptor } from "../model/descriptor.ts";
import { Failure, type Side } from "../model/failure.ts";
import { tarBlock } from "../std/ustar.ts";
import { gunzipped, Puller } from "./gunzip.ts";
import type { Fetcher } from "./store.ts";
import { verified } from "./verified.ts";

/** One 512-byte header of a tar as container tools write it: ustar, pax and GNU long names. */
export interface LayerHeader {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

/** `undefined` for a block of zeros, `"damaged"` when the checksum does not hold. */
function readTarHeader(block: Buffer): LayerHeader | "damaged" | undefined {
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

/** `LENGTH KEY=VALUE\n` records; only those that move an entry are of interest. `undefined` when they do not parse. */
function readPax(body: Buffer): Said | undefined {
  let found: Said = {};
  for (let at = 0; at < body.length;) {
    const blank = body.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(body.toString("latin1", at, blank));
    const record = body.subarray(blank + 1, at + length - 1).toString("utf8");
    const equals = record.indexOf("=");
    if (!Number.isInteger(length) || length <= blank + 1 - at || at + length > body.length || equals < 0)
      return undefined;
    const said = paxSays(record.slice(0, equals), record.slice(equals + 1), found);
    if (said === undefined) return undefined;
    found = { ...found, ...said };
    at += length;
  }
  return found;
}

function paxSays(key: string, value: string, { sparse }: Said): Said | undefined {
  // The path beside it is of no file: GNU tar writes one for readers that know no holes.
  if (key === "GNU.sparse.name") return { path: value, sparse: true };
  if (key.startsWith("GNU.sparse.")) return { sparse: true };
  if (key === "path") return sparse === true ? {} : { path: value };
  if (key !== "size") return {};
  return /^\d{1,15}$/.test(value) ? { size: Number(value) } : undefined;
}

export interface LayerMember {
  /** The name in the archive, without `./` or `/` before it and `/` behind. Others wrote it: compare it, never open it. */
  readonly path: string;
  /** The last part of the name as it is written, where `a/.` ends in a dot. */
  readonly base: string;
  readonly type: "file" | "directory" | "link" | "sparse" | "other";
  readonly size: number;
  /** Valid until the next member is asked for; what was not read by then is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface LayerOptions {
  readonly side: Side;
  /** Bound of everything that the layer unpacks to. */
  readonly maxBytes: number;
  readonly maxRatio?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A root filesystem has some 100,000 files; this ends a layer that is nothing but headers. */
const maxMembers = 2_000_000;
/** Long names and pax records are kept whole while the next header is read. */
const maxMeta = 1024 ** 2;

/**
 * The members of a layer in file order, streamed: nothing touches a disk and nothing is held but what the caller holds.
 * The digest is proven when the last member was taken, so use nothing of a layer before this has come to its end.
 * @throws Failure ARCHIVE_INVALID, CONTENT_MISMATCH
 */
export async function* layerMembers(
  from: Fetcher,
  layer: Descriptor,
  options: LayerOptions,
): AsyncGenerator<LayerMember, void, undefined> {
  const refuse = (why: string): Failure =>
    new Failure("ARCHIVE_INVALID", { what: layer.digest, why }, { side: options.side });
  const packed = verified(from.fetch(layer, { signal: options.signal }), layer, options.side);
  const source = new Puller(unpacked(packed, layer, options), () => refuse("tar: cut off"));
  try {
    for (let members = 0; ; members += 1) {
      const header = await nextHeader(source, refuse);
      if (header === undefined) break;
      if (members > maxMembers) throw refuse(`more than ${maxMembers} members`);
      const body = source.part(header.size);
      const base = header.name.split("/").findLast((part) => part !== "") ?? "";
      yield { path: normal(header.name), base, type: typeOf(header.type), size: header.size, body };
      await source.skipPart(padded(header.size));
    }
    await source.drain();
  } finally {
    await source.close();
  }
}

function unpacked(
  source: AsyncIterable<Uint8Array>,
  layer: Descriptor,
  { maxBytes, maxRatio }: LayerOptions,
): AsyncIterable<Uint8Array> {
  if (/gzip$/.test(layer.mediaType)) return gunzipped(source, { what: layer.digest, maxBytes, maxRatio });
  if (/tar$/.test(layer.mediaType)) return source;
  throw new Failure("ARCHIVE_INVALID", { what: layer.digest, why: `layer type ${layer.mediaType}` });
}

/** What extended headers say of the entry that follows them. */
interface Said {
  readonly path?: string;
  readonly size?: number;
  /** Its holes are left out: what is stored is not what the file is. */
  readonly sparse?: boolean;
}

/** GNU tar's own type of such an entry. */
const sparseType = "S";
/** In its header, and in each block that goes on with it: whether another block of the map comes before the content. */
const moreSparse = { header: 482, block: 504 };

/** Follows pax and GNU long-name entries to the header that they speak of; `undefined` at the end. */
async function nextHeader(source: Puller, refuse: (why: string) => Failure): Promise<LayerHeader | undefined> {
  let said: Said = {};
  for (;;) {
    const block = await source.exactly(tarBlock);
    // Some builders leave out the end blocks; the verified digest says that nothing is missing.
    const header = block === undefined ? undefined : readTarHeader(block);
    if (block === undefined || header === undefined) return undefined;
    if (header === "damaged") throw refuse("tar: damaged header");
    if (!extended.has(header.type)) return entryOf(header, said, () => skipSparseMap(source, block));
    if (header.size > maxMeta) throw refuse("tar: extended header too large");
    const body = await source.exactly(padded(header.size));
    const more = readExtended(header.type, body?.subarray(0, header.size), refuse);
    // What pax says of all entries is an entry of its own to Go's reader, and has the name that is said there.
    if (header.type === "g") return { name: more.path ?? header.name, size: 0, type: header.type };
    said = { ...said, ...more };
  }
}

async function entryOf(header: LayerHeader, said: Said, skipMap: () => Promise<void>): Promise<LayerHeader> {
  if (header.type === sparseType) await skipMap();
  const size = hasBody(header.type) ? (said.size ?? header.size) : 0;
  return { name: said.path ?? header.name, size, type: said.sparse === true ? sparseType : header.type };
}

async function skipSparseMap(source: Puller, header: Buffer): Promise<void> {
  let more = header[moreSparse.header];
  while (more === 1) more = (await source.exactly(tarBlock))?.[moreSparse.block];
}

/** pax for one entry and for all, GNU long name and long link. */
const extended: ReadonlySet<string> = new Set(["x", "g", "L", "K"]);

function readExtended(type: string, body: Buffer | undefined, refuse: (why: string) => Failure): Said {
  if (body === undefined) throw refuse("tar: cut off");
  if (type === "L") return { path: body.toString("utf8").replace(/\0.*$/s, "") };
  if (type === "K") return {};
  const pax = readPax(body);
  if (pax === undefined) throw refuse("tar: damaged pax header");
  return pax;
}

/** Links, devices and directories have no body, whatever their header says of a size. */
const hasBody = (type: string): boolean => !["1", "2", "3", "4", "5", "6"].includes(type);

const padded = (size: number): number => Math.ceil(size / tarBlock) * tarBlock;

const normal = (name: string): string =>
  name
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");

function typeOf(type: string): LayerMember["type"] {
  if (type === "0" || type === "7") return "file";
  if (type === "5") return "directory";
  if (type === sparseType) return "sparse";
  return type === "1" || type === "2" ? "link" : "other";
}
