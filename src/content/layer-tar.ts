import type { Descriptor } from "../model/descriptor.ts";
import { Failure, type Side } from "../model/failure.ts";
import { gunzipped } from "./gunzip.ts";
import { readPax, readTarHeader, tarBlock, type TarHeader } from "./layer-tar-header.ts";
import { Puller } from "./puller.ts";
import type { Fetcher } from "./store.ts";
import { verified } from "./verified.ts";

export interface LayerMember {
  /** Without `./` or `/` before and `/` behind it. Text of others: compare it, never open it. */
  readonly path: string;
  readonly type: "file" | "directory" | "link" | "other";
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
      yield { path: normal(header.name), type: typeOf(header.type), size: header.size, body };
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
}

/** Follows pax and GNU long-name entries to the header that they speak of; `undefined` at the end. */
async function nextHeader(source: Puller, refuse: (why: string) => Failure): Promise<TarHeader | undefined> {
  let said: Said = {};
  for (;;) {
    const block = await source.exactly(tarBlock);
    // Some builders leave out the end blocks; the verified digest says that nothing is missing.
    const header = block === undefined ? undefined : readTarHeader(block);
    if (header === undefined) return undefined;
    if (header === "damaged") throw refuse("tar: damaged header");
    if (!extended.has(header.type))
      return { ...header, name: said.path ?? header.name, size: hasBody(header.type) ? (said.size ?? header.size) : 0 };
    if (header.size > maxMeta) throw refuse("tar: extended header too large");
    const body = await source.exactly(padded(header.size));
    said = { ...said, ...readExtended(header.type, body?.subarray(0, header.size), refuse) };
  }
}

/** pax for one entry and for all, GNU long name and long link. */
const extended: ReadonlySet<string> = new Set(["x", "g", "L", "K"]);

function readExtended(type: string, body: Buffer | undefined, refuse: (why: string) => Failure): Said {
  if (body === undefined) throw refuse("tar: cut off");
  if (type === "L") return { path: body.toString("utf8").replace(/\0.*$/s, "") };
  if (type !== "x") return {};
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
  return type === "1" || type === "2" ? "link" : "other";
}
