import { Cursor, outline } from "./wasm.ts";

/** `i32 i64 -> i32`, `void -> void`: as Envoy writes it when types do not match. */
export type FunctionType = string;

export interface FunctionTypes {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly type: FunctionType }[];
  readonly exports: readonly { readonly name: string; readonly type: FunctionType }[];
}

const valueTypes: Readonly<Record<number, string>> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
};

/**
 * The types of what a module imports and exports as functions; `undefined` when they are written in a way that is newer
 * than this (recursive and structure types). @throws ModuleError where the binary is no module
 */
export function functionTypes(bytes: Uint8Array): FunctionTypes | undefined {
  const { sections, imports, exports } = outline(bytes);
  const vector = <T>(id: number, read: (cursor: Cursor) => T): readonly T[] => {
    const section = sections.find((each) => each.id === id);
    if (section === undefined) return [];
    const cursor = new Cursor(bytes, section.body, section.end);
    return Array.from({ length: cursor.unsigned() }, () => read(cursor));
  };
  const types: (string | undefined)[] = [];
  const whole = vector(1, (cursor) => {
    const type = types.includes(undefined) ? undefined : readType(cursor);
    types.push(type);
    return type;
  });
  if (whole.includes(undefined)) return undefined;
  const imported = imports.filter(({ kind }) => kind === "function");
  const functions = [...imported.map(({ index }) => index), ...vector(3, (cursor) => cursor.unsigned())];
  const typeOf = (type: number | undefined): FunctionType => types[type ?? -1] ?? "?";
  return {
    imports: imported.map(({ module, name, index }) => ({ module, name, type: typeOf(index) })),
    exports: exports
      .filter(({ kind }) => kind === "function")
      .map(({ name, index }) => ({ name, type: typeOf(functions[index]) })),
  };
}

function readType(cursor: Cursor): FunctionType | undefined {
  if (cursor.byte() !== 0x60) return undefined;
  const [parameters, results] = [readValues(cursor), readValues(cursor)];
  return `${parameters} -> ${results}`;
}

function readValues(cursor: Cursor): string {
  const values = Array.from({ length: cursor.unsigned() }, () => {
    const code = cursor.byte();
    if (code === 0x63 || code === 0x64) cursor.unsigned();
    return valueTypes[code] ?? "ref";
  });
  return values.length === 0 ? "void" : values.join(" ");
}
