import { createHash } from "node:crypto";
import ssri from "ssri";
import type { Bundle } from "../../content/open-bundle.ts";
import type { Extent, FetchOptions, RandomAccess } from "../../content/store.ts";
import { verified } from "../../content/verified.ts";
import { blobPrefix, Entry, limits, BundleDocument, formatVersion } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { hexOf, type Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { issueWords } from "../../model/list-of.ts";
import { JsonError, parseBounded } from "../../std/bounded-json.ts";
import { checkEntries, refuser, readEntries, type Refuse } from "./read-entries.ts";

/**
 * Opens a bundle without believing it: names and types by allow-list, every number bounded, headers against bundle.json
 * and that against SHA256SUMS. No blob is read. The bundle owns `source` from here on, whether this succeeds or not.
 * @throws Failure BUNDLE_MALFORMED naming the place, BUNDLE_VERSION
 */
export async function openBundle(
  source: RandomAccess,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Bundle> {
  try {
    const refuse = refuser(source.name);
    const entries = await readEntries(source, refuse, options.signal);
    const bundle = await readLeading(source, entries, Entry.bundle, refuse);
    const document = parseDocument(bundle, source.name);
    const sums = parseSums((await readLeading(source, entries, Entry.sums, refuse)).toString("latin1"), refuse);
    const id = createHash("sha256").update(bundle).digest("hex");
    if (sums.get(Entry.bundle) !== id) throw refuse(Entry.bundle, `sha256 ${id}, SHA256SUMS differs`);
    checkEntries({ entries, document, sums, refuse });
    return new OpenBundle({ source, document, id, entries, sums });
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

async function readLeading(
  source: RandomAccess,
  places: ReadonlyMap<string, Extent>,
  name: string,
  refuse: Refuse,
): Promise<Buffer> {
  const place = places.get(name);
  if (place === undefined) throw refuse(name, "missing");
  return source.read(place.offset, place.size);
}

type Opened = Pick<Bundle, "source" | "document" | "id" | "entries" | "sums">;

class OpenBundle implements Bundle {
  readonly source: RandomAccess;
  readonly document: BundleDocument;
  readonly id: string;
  readonly entries: ReadonlyMap<string, Extent>;
  readonly sums: ReadonlyMap<string, string>;

  constructor({ source, document, id, entries, sums }: Opened) {
    this.source = source;
    this.document = document;
    this.id = id;
    this.entries = entries;
    this.sums = sums;
  }

  fetch(descriptor: Descriptor, { offset = 0, signal }: FetchOptions = {}): AsyncIterable<Uint8Array> {
    const place = this.#place(blobPrefix + hexOf(descriptor.digest));
    if (place.size !== descriptor.size)
      throw this.#mismatch(descriptor.digest, `${descriptor.size} B`, `${place.size} B`);
    const from = Math.min(offset, place.size);
    return this.source.stream(place.offset + from, place.size - from, signal);
  }

  async readFile(name: string): Promise<Buffer> {
    const place = this.#place(name);
    if (place.size > limits.smallFile) throw this.#mismatch(name, `<= ${limits.smallFile} B`, `${place.size} B`);
    const bytes = await this.source.read(place.offset, place.size);
    const integrity = this.document.integrity[name];
    const sum = createHash("sha256").update(bytes).digest("hex");
    const known = this.sums.get(name);
    if (known !== undefined && sum !== known) throw this.#mismatch(name, known, sum);
    if (integrity !== undefined && ssri.checkData(bytes, integrity) === false)
      throw this.#mismatch(name, integrity, ssri.fromData(bytes, { algorithms: ["sha512"] }).toString());
    return bytes;
  }

  openFile(name: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const place = this.#place(name);
    const sum = this.sums.get(name);
    if (sum === undefined) throw this.#mismatch(name, "SHA256SUMS", "-");
    const want = { mediaType: "", digest: `sha256:${sum}` as Digest, size: place.size };
    return verified(this.source.stream(place.offset, place.size, signal), want, "bundle");
  }

  hasBlob(digest: Digest, size?: number): boolean {
    const place = this.entries.get(blobPrefix + hexOf(digest));
    return place !== undefined && (size === undefined || place.size === size);
  }

  async signature(): Promise<{ readonly sums: Buffer; readonly signature?: Buffer | undefined }> {
    const sums = await this.readFile(Entry.sums);
    return this.entries.has(Entry.signature) ? { sums, signature: await this.readFile(Entry.signature) } : { sums };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source[Symbol.asyncDispose]();
  }

  #place(name: string): Extent {
    const place = this.entries.get(name);
    if (place === undefined)
      throw new Failure("CONTENT_MISSING", { what: name, where: this.source.name }, { side: "bundle" });
    return place;
  }

  #mismatch(what: string, wanted: string, got: string): Failure {
    return new Failure("CONTENT_MISMATCH", { what, wanted, got }, { side: "bundle" });
  }
}

/** Nesting is what could hurt a JSON reader; ours has items, roots, derivations: six levels. */
const maxDepth = 32;

/**
 * Reads bundle.json out of a bundle that nobody vouches for.
 * @throws Failure BUNDLE_VERSION when a later tool wrote it, BUNDLE_MALFORMED
 */
function parseDocument(bytes: Buffer, path: string): BundleDocument {
  const refuse = refuser(path);
  const json = parseJson(bytes, (why) => refuse(Entry.bundle, why));
  const { formatVersion: version } = json as { formatVersion?: unknown };
  if (typeof version === "number" && version !== formatVersion)
    throw new Failure("BUNDLE_VERSION", { path, version: String(version), known: String(formatVersion) });
  const parsed = BundleDocument.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(
    `${Entry.bundle} ${issue?.path.map(String).join(".") ?? ""}`.trim(),
    issue === undefined ? "?" : issueWords(issue),
  );
}

function parseJson(bytes: Buffer, refuse: (why: string) => Failure): unknown {
  let json: unknown;
  try {
    json = parseBounded(bytes, { depth: maxDepth });
  } catch (error) {
    throw error instanceof JsonError ? refuse(error.message) : error;
  }
  if (typeof json !== "object" || json === null) throw refuse("JSON");
  return json;
}

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
    const before = sums.size;
    if (sums.set(name, hex).size === before) throw refuse("SHA256SUMS", `${name}: twice`);
    at = end + 1;
  }
  return sums;
}
