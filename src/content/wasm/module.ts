import { Cursor, ModuleError } from "./cursor.ts";

export type ExternKind = "function" | "table" | "memory" | "global" | "tag";

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternKind;
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
  const entry = { name: cursor.name(), kind: readKind(cursor) };
  cursor.unsigned();
  return entry;
}

function readImport(cursor: Cursor): ModuleImport {
  const entry = { module: cursor.name(), name: cursor.name(), kind: readKind(cursor) };
  skipImportType(cursor, entry.kind);
  return entry;
}

function skipImportType(cursor: Cursor, kind: ExternKind): void {
  if (kind === "table" || kind === "global") skipValueType(cursor);
  if (kind === "table" || kind === "memory") readLimits(cursor);
  if (kind === "global" || kind === "tag") cursor.byte();
  if (kind === "function" || kind === "tag") cursor.unsigned();
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
