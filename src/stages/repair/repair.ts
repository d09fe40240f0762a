import type { Bundle } from "../../content/open-bundle.ts";
import type { Extent, Fetcher, RandomWriter } from "../../content/store.ts";
import { verified } from "../../content/verified.ts";
import { blobPrefix } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { silent, type Report } from "../../model/event.ts";
import { Failure, isFailure } from "../../model/failure.ts";

/** What repair asks of a bundle that is open: the damaged one, and other copies. */
type RepairedBundle = Pick<Bundle, "source" | "document" | "id" | "entries" | "sums">;

/** A new file. The damaged one is on somebody's medium, and is never written to. */
export interface RepairOutput {
  create(size: number, planId: string): Promise<OpenRepair>;
}

export interface OpenRepair extends Pick<RandomWriter, "write"> {
  commit(facts: { readonly bundle: string }): Promise<void>;
  abandon(): Promise<void>;
}

export interface RepairInput {
  readonly bundle: RepairedBundle;
  /** Entry names, as verify reported them. */
  readonly damaged: ReadonlySet<string>;
  /** Other copies, and other bundles that hold some of the same. */
  readonly copies: readonly RepairedBundle[];
  /** Registries, for blobs that no copy has. */
  readonly fetchers: readonly Fetcher[];
  /** What the new file holds: one volume. @default all of the bundle */
  readonly range?: Extent | undefined;
}

export interface RepairOptions {
  readonly signal?: AbortSignal | undefined;
  readonly report?: Report | undefined;
}

/**
 * Writes the bundle, or one volume of it, anew: byte for byte what was built. Every entry is verified while it is
 * copied, the good ones too; the damaged ones come from whichever source has them right.
 * @throws Failure CONTENT_MISSING when none has; CONTENT_MISMATCH when more is damaged than was said
 */
export async function repair(
  input: RepairInput,
  output: RepairOutput,
  options: RepairOptions = {},
): Promise<{ readonly size: number; readonly repaired: readonly string[] }> {
  const { source, id, entries } = input.bundle;
  const range = input.range ?? { offset: 0, size: source.size };
  const out = await output.create(range.size, `repair ${id} ${range.offset}`);
  const writer = new RangeWriter(out, range);
  const repaired: string[] = [];
  const { report = silent } = options;
  report({ type: "transfer", phase: "verify", items: 1, bytes: range.size });
  try {
    let at = range.offset;
    for (const [name, place] of inRange(entries, range)) {
      await writer.copy(source.stream(at, Math.max(0, place.offset - at)), at);
      await copyEntry(input, name, { writer, options });
      if (input.damaged.has(name)) repaired.push(name);
      at = place.offset + place.size;
      report({ type: "moved", phase: "verify", name: source.name, bytes: place.size, size: range.size });
    }
    // What is left is padding and the end of the archive, or in a volume nothing.
    await writer.copy(source.stream(at, Math.max(0, range.offset + range.size - at)), at);
    await out.commit({ bundle: id });
  } catch (error) {
    await out.abandon();
    throw error;
  }
  return { size: range.size, repaired };
}

interface Entry extends Extent {
  readonly name: string;
}

function inRange(entries: ReadonlyMap<string, Extent>, range: Extent): readonly (readonly [string, Extent])[] {
  const end = range.offset + range.size;
  return [...entries].filter(([, place]) => place.offset + place.size > range.offset && place.offset < end);
}

async function copyEntry(
  input: RepairInput,
  name: string,
  { writer, options }: { readonly writer: RangeWriter; readonly options: RepairOptions },
): Promise<void> {
  const { bundle, damaged } = input;
  const place = bundle.entries.get(name) ?? { offset: 0, size: 0 };
  const sum = bundle.sums.get(name);
  const own = (): AsyncIterable<Uint8Array> => bundle.source.stream(place.offset, place.size, options.signal);
  // SHA256SUMS and its signature have no sum; opening read the first, and a key checks the second.
  if (sum === undefined) return writer.copy(own(), place.offset);
  const want = { mediaType: "", digest: `sha256:${sum}` as Digest, size: place.size };
  if (!damaged.has(name)) return writer.copy(verified(own(), want, "bundle"), place.offset);
  await fromFirstGood(name, sourcesOf(input, { ...place, name }, want, options.signal), (stream) =>
    writer.copy(verified(stream, want, "source"), place.offset),
  );
}

type Open = () => AsyncIterable<Uint8Array>;

function sourcesOf(
  { bundle, copies, fetchers }: RepairInput,
  { name, size }: Entry,
  want: Descriptor,
  signal: AbortSignal | undefined,
): readonly Open[] {
  const fromCopies = copies.flatMap((copy): Open[] => {
    const place = copy.entries.get(name);
    return place?.size === size ? [() => copy.source.stream(place.offset, size, signal)] : [];
  });
  if (!name.startsWith(blobPrefix)) return fromCopies;
  const listed = bundle.document.blobs.find(({ digest }) => digest === want.digest);
  const descriptor = { ...want, mediaType: listed?.mediaType ?? "" };
  return [
    ...fromCopies,
    ...fetchers.map(
      (fetcher): Open =>
        () =>
          fetcher.fetch(descriptor, { signal }),
    ),
  ];
}

/** A source that fails is passed over: what it wrote is written over by the next. */
async function fromFirstGood(
  name: string,
  sources: readonly Open[],
  use: (stream: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  let cause: unknown;
  for (const open of sources) {
    try {
      await use(open());
      return;
    } catch (error) {
      // What cannot be written no other source mends; a copy that cannot be read (a bad stick) is what others are for.
      if (!isFailure(error) || isFailure(error, "DISK_FULL", "FILE_UNWRITABLE")) throw error;
      cause = error;
    }
  }
  throw new Failure("CONTENT_MISSING", { what: name, where: "sources" }, { cause });
}

/** Writes what lies in a range of the bundle to the file that holds just that range. */
class RangeWriter {
  readonly #out: OpenRepair;
  readonly #range: Extent;

  constructor(out: OpenRepair, range: Extent) {
    this.#out = out;
    this.#range = range;
  }

  async copy(stream: AsyncIterable<Uint8Array>, offset: number): Promise<void> {
    const { offset: from, size } = this.#range;
    let at = offset;
    for await (const chunk of stream) {
      const start = Math.max(0, from - at);
      const part = chunk.subarray(start, Math.max(start, from + size - at));
      if (part.byteLength > 0) await this.#out.write(at + start - from, [part]);
      at += chunk.byteLength;
    }
  }
}
