import { encodeHeader, tarBlock, tarPadding } from "../../std/ustar.ts";
import { blobPrefix, programPrefix, limits } from "../../model/bundle.ts";
import { isAllowedEntry } from "../../model/names.ts";
import { maxBlobSize } from "../../model/descriptor.ts";
import { Failure } from "../../model/failure.ts";

/** What an entry holds: bytes that are here, or a stream whose length and sha256 are known. */
export type EntryContent = BytesContent | StreamContent;

interface Named {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly mode?: number | undefined;
}

export interface BytesContent extends Named {
  readonly kind: "bytes";
  readonly bytes: Uint8Array;
}

export interface StreamContent extends Named {
  readonly kind: "stream";
  /** Where it comes from, empty for a file; `perHost` bounds how many of one host move at once. */
  readonly host: string;
  /** The items that need it, for events. */
  readonly names: readonly string[];
  /** Not verified; a chunk is valid until the next is asked for. */
  readonly open: (offset: number, signal?: AbortSignal) => AsyncIterable<Uint8Array>;
}

/** A content in its place. */
type Entry<C extends EntryContent> = C & {
  /** Of its content; the header stands before it. */
  readonly offset: number;
  readonly header: Buffer;
};

/** A stretch of the file. Segments follow each other without gaps from the first byte to the last. */
export type Segment =
  | { readonly kind: "bytes"; readonly offset: number; readonly size: number; readonly chunks: readonly Uint8Array[] }
  | StreamSegment;

/** A streamed entry with its header before it and its padding after. */
export interface StreamSegment {
  readonly kind: "stream";
  readonly offset: number;
  readonly size: number;
  readonly entry: Entry<StreamContent>;
}

export interface Layout {
  readonly size: number;
  readonly entries: readonly Entry<EntryContent>[];
  readonly segments: readonly Segment[];
}

/** Two zero blocks end a tar; nothing is after them. */
export const endOfArchive = 2 * tarBlock;

/** Gives every entry its header and its place. @throws Failure USAGE */
export function arrange(contents: readonly EntryContent[], mtime: number): Layout {
  const entries: Entry<EntryContent>[] = [];
  const segments: Segment[] = [];
  const seen = new Set<string>();
  let offset = 0;
  let here: { at: number; chunks: Uint8Array[] } = { at: 0, chunks: [] };
  const close = (): void => {
    if (offset > here.at)
      segments.push({ kind: "bytes", offset: here.at, size: offset - here.at, chunks: here.chunks });
  };
  for (const content of contents) {
    refuseUnusable(content, seen);
    const { name, size, mode = modeOf(name) } = content;
    const header = encodeHeader({ name, size, mode, mtime });
    const whole = tarBlock + size + tarPadding(size);
    const place = { offset: offset + tarBlock, header };
    entries.push({ ...content, ...place });
    if (content.kind === "stream") {
      close();
      segments.push({ kind: "stream", offset, size: whole, entry: { ...content, ...place } });
      here = { at: offset + whole, chunks: [] };
    } else {
      here.chunks.push(header, content.bytes, Buffer.alloc(tarPadding(size)));
    }
    offset += whole;
  }
  here.chunks.push(Buffer.alloc(endOfArchive));
  offset += endOfArchive;
  close();
  return { size: offset, entries, segments };
}

/** Only what runs is executable, whatever mode it had where it came from. */
function modeOf(name: string): number {
  return name.startsWith(programPrefix) || name === "install.sh" ? 0o755 : 0o644;
}

function refuseUnusable({ kind, name, size }: EntryContent, seen: Set<string>): void {
  const bound = kind === "stream" ? maxBlobSize : limits.smallFile;
  // Up to 155 characters every name fits the header's two name fields, wherever its slashes are.
  if (!isAllowedEntry(name) || name.length > 155)
    throw new Failure("USAGE", { what: `bundle entry ${JSON.stringify(name.slice(0, 200))}` });
  if (seen.has(name)) throw new Failure("USAGE", { what: `bundle entry ${name}: twice` });
  if (!Number.isSafeInteger(size) || size < 0 || size > bound)
    throw new Failure("USAGE", { what: `bundle entry ${name}: ${size} B > ${bound} B` });
  if (kind === "bytes" && name.startsWith(blobPrefix)) throw new Failure("USAGE", { what: `bundle entry ${name}` });
  seen.add(name);
  if (seen.size > limits.entries) throw new Failure("USAGE", { what: `> ${limits.entries} bundle entries` });
}
