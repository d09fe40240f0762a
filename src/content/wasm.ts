/** Something is wrong inside the bytes of a module; `message` says what and where, in the words of the wasm spec. */
export class ModuleError extends Error {
  override readonly name = "ModuleError";
}

/** Reads the binary format (https://webassembly.github.io/spec/core/binary/) from a slice, and never past its end. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.byteLength) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    const value = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (value === undefined) throw new ModuleError(`unexpected end at byte ${this.#at}`);
    this.#at += 1;
    return value;
  }

  skip(count: number): void {
    if (this.#end - this.#at < count) throw new ModuleError(`unexpected end at byte ${this.#at}`);
    this.#at += count;
  }

  /** Unsigned LEB128 of at most 64 bits; 32 is the bound of everything but memory64 limits. */
  unsigned(bits: 32 | 64 = 32): number {
    let value = 0;
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (bits === 32 && value > 0xffff_ffff) break;
        return value;
      }
    }
    throw new ModuleError(`integer too long at byte ${this.#at}`);
  }

  /** A name, as UTF-8; names of imports and exports are short, so a long one is no module of this world. */
  name(limit = 1024): string {
    const length = this.unsigned();
    if (length > limit) throw new ModuleError(`name of ${length} bytes at byte ${this.#at}`);
    const from = this.#at;
    this.skip(length);
    return new TextDecoder().decode(this.#bytes.subarray(from, this.#at));
  }
}

export type ExternKind = "function" | "table" | "memory" | "global" | "tag";

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Of its type, for a function. */
  readonly index?: number;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternKind;
  /** Among those of its kind, imports first. */
  readonly index: number;
}

/** A section of the binary, `start` where its id stands and `end` after its last byte. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** What can be told of a module without compiling it: enough to predict whether a gateway loads it. */
export interface ModuleOutline {
  readonly sections: readonly Section[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
}

const kinds = ["function", "table", "memory", "global", "tag"] as const;
const limits = { sections: 10_000, entries: 100_000 } as const;
export const pageSize = 64 * 1024;

/** `\0asm`, version 1. A component has another layer number, and a gateway refuses it. */
export function moduleProblem(bytes: Uint8Array): string | undefined {
  const magic = [0x00, 0x61, 0x73, 0x6d].every((byte, index) => bytes[index] === byte);
  if (!magic) return bytes[0] === 0x1f && bytes[1] === 0x8b ? "gzip: an OCI layer?" : "no wasm magic";
  if (bytes.byteLength < 8) return "shorter than its header";
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  return version === 1 ? undefined : `wasm version ${version}: a component?`;
}

/**
 * Reads the outline: sections, imports, exports. Bodies are skipped, so this takes microseconds per section and no
 * memory beyond the names. @throws ModuleError where the binary is no module
 */
export function outline(bytes: Uint8Array): ModuleOutline {
  const problem = moduleProblem(bytes);
  if (problem !== undefined) throw new ModuleError(problem);
  const sections = readSections(bytes);
  const vector = <T>(id: number, read: (cursor: Cursor) => T): readonly T[] =>
    sections.filter((section) => section.id === id).flatMap(({ body, end }) => readVector(bytes, { body, end }, read));
  return { sections, imports: vector(2, readImport), exports: vector(7, readExport) };
}

function readSections(bytes: Uint8Array): readonly Section[] {
  const cursor = new Cursor(bytes, 8);
  const sections: Section[] = [];
  while (!cursor.done) {
    const start = cursor.at;
    const id = cursor.byte();
    const size = cursor.unsigned();
    const body = cursor.at;
    if (body + size > bytes.byteLength) throw new ModuleError(`section ${id} at byte ${start} is cut off`);
    cursor.skip(size);
    if (sections.push({ id, start, body, end: cursor.at }) > limits.sections)
      throw new ModuleError("too many sections");
  }
  return sections;
}

function readVector<T>(
  bytes: Uint8Array,
  { body, end }: Pick<Section, "body" | "end">,
  read: (cursor: Cursor) => T,
): T[] {
  const cursor = new Cursor(bytes, body, end);
  const count = cursor.unsigned();
  if (count > limits.entries) throw new ModuleError(`${count} entries in a section`);
  return Array.from({ length: count }, () => read(cursor));
}

function readKind(cursor: Cursor): ExternKind {
  const code = cursor.byte();
  const kind = kinds[code];
  if (kind === undefined) throw new ModuleError(`external kind ${code} at byte ${cursor.at}`);
  return kind;
}

function readExport(cursor: Cursor): ModuleExport {
  return { name: cursor.name(), kind: readKind(cursor), index: cursor.unsigned() };
}

function readImport(cursor: Cursor): ModuleImport {
  const entry = { module: cursor.name(), name: cursor.name(), kind: readKind(cursor) };
  if (entry.kind === "function") return { ...entry, index: cursor.unsigned() };
  skipImportType(cursor, entry.kind);
  return entry;
}

function skipImportType(cursor: Cursor, kind: ExternKind): void {
  if (kind === "table" || kind === "global") skipValueType(cursor);
  if (kind === "table" || kind === "memory") readLimits(cursor);
  if (kind === "global" || kind === "tag") cursor.byte();
  if (kind === "tag") cursor.unsigned();
}

/** `(ref null? heaptype)` is two bytes or more, every other value type one. */
function skipValueType(cursor: Cursor): void {
  const code = cursor.byte();
  if (code === 0x63 || code === 0x64) cursor.unsigned();
}

export interface Limits {
  readonly flags: number;
  readonly minimum: number;
  readonly maximum: number | undefined;
}

/** https://webassembly.github.io/spec/core/binary/types.html#limits: bit 0 a maximum, bit 1 shared, bit 2 64-bit. */
function readLimits(cursor: Cursor): Limits {
  const flags = cursor.byte();
  if (flags > 7) throw new ModuleError(`limits ${flags} at byte ${cursor.at}`);
  const bits = (flags & 4) === 0 ? 32 : 64;
  const minimum = cursor.unsigned(bits);
  return { flags, minimum, maximum: (flags & 1) === 0 ? undefined : cursor.unsigned(bits) };
}

const memorySection = 5;

/**
 * The module with its memory held to `bytes`: the declared maximum becomes the smaller of the two, so that
 * `memory.grow` answers -1 at the bound, exactly as on a host that is out of memory. V8's heap limits do not count wasm
 * memory, so this is the only bound that holds. Always a copy.
 * @throws ModuleError when the module asks for more than that to begin with, or has several memories
 */
export function capMemory(module: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const section = outline(module).sections.find(({ id }) => id === memorySection);
  if (section === undefined) return Uint8Array.from(module);
  const cursor = new Cursor(module, section.body, section.end);
  const count = cursor.unsigned();
  if (count !== 1) throw new ModuleError(`${count} memories`);
  const limits = readLimits(cursor);
  const pages = Math.floor(bytes / pageSize);
  if (limits.minimum > pages) throw new ModuleError(`asks for ${limits.minimum} pages of memory, ${pages} allowed`);
  const body = [1, ...printLimits(limits, Math.min(limits.maximum ?? pages, pages))];
  return joined(
    module.subarray(0, section.start),
    Uint8Array.from([memorySection, ...leb(body.length), ...body]),
    module.subarray(section.end),
  );
}

function printLimits({ flags, minimum }: Limits, maximum: number): readonly number[] {
  return [flags | 1, ...leb(minimum), ...leb(maximum)];
}

function leb(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...leb(Math.floor(value / 0x80))];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
