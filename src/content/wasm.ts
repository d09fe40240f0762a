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

  /** Whether a name of ASCII letters is next, which is read then. */
  isCalled(name: string): boolean {
    const length = this.unsigned();
    const from = this.#at;
    this.skip(length);
    return length === name.length && Buffer.from(this.#bytes.subarray(from, this.#at)).toString("latin1") === name;
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
  checkNames(bytes, sections);
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

const customSection = 0;
const functionNames = 1;

/**
 * The names of functions are only for debugging, and no engine minds what stands there. The gateway's host reads the first
 * section of them, and takes a module for corrupted whose names do not add up.
 */
function checkNames(bytes: Uint8Array, sections: readonly Section[]): void {
  const cursors = sections
    .filter(({ id }) => id === customSection)
    .map(({ body, end }) => new Cursor(bytes, body, end));
  const cursor = cursors.find((each) => each.isCalled("name"));
  while (cursor?.done === false) {
    const id = cursor.byte();
    const end = cursor.unsigned() + cursor.at;
    if (id !== functionNames) {
      cursor.skip(end - cursor.at);
      continue;
    }
    for (let count = cursor.unsigned(); count > 0; count -= 1) {
      cursor.unsigned();
      cursor.skip(cursor.unsigned());
    }
    if (cursor.at !== end) throw new ModuleError(`names of functions do not end at byte ${end}`);
  }
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
export function readLimits(cursor: Cursor): Limits {
  const flags = cursor.byte();
  if (flags > 7) throw new ModuleError(`limits ${flags} at byte ${cursor.at}`);
  const bits = (flags & 4) === 0 ? 32 : 64;
  const minimum = cursor.unsigned(bits);
  return { flags, minimum, maximum: (flags & 1) === 0 ? undefined : cursor.unsigned(bits) };
}
