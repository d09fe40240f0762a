/** Writes wasm by hand: modules that do one wrong thing, made of their meaning, a few dozen bytes each. */

/** Instructions and whole bodies, so that a test reads as what the function does. */
export const code = {
  nothing: [] as readonly number[],
  answer: (value: number): readonly number[] => [0x41, ...signed(value)],
  trap: [0x00],
  loopForever: [0x03, 0x40, 0x0c, 0x00, 0x0b],
  /** Grows by 64 pages until the host says no, then traps, as allocators do. */
  growForever: [0x03, 0x40, 0x41, 0xc0, 0x00, 0x40, 0x00, 0x41, 0x7f, 0x47, 0x0d, 0x00, 0x0b, 0x00],
  call: (index: number): readonly number[] => [0x10, ...unsigned(index)],
  drop: [0x1a],
  sequence: (...parts: readonly (readonly number[])[]): readonly number[] => parts.flat(),
};

export interface AFunction {
  /** Names of an export; the function has none without. */
  readonly exported?: string;
  readonly parameters?: number;
  readonly results?: 0 | 1;
  readonly body: readonly number[];
}

export interface ModuleParts {
  readonly imports?: readonly { readonly module: string; readonly name: string; readonly parameters?: number }[];
  readonly functions?: readonly AFunction[];
  /** `undefined` leaves the memory out. */
  readonly memory?: { readonly minimum: number; readonly maximum?: number } | undefined;
  /** Placed at address 16. */
  readonly data?: string;
}

/** Imports take i32s and answer one; their indices come before those of the functions. */
export function aWasmModule(parts: ModuleParts): Buffer {
  const { imports = [], functions = [], data } = parts;
  const memory = "memory" in parts ? parts.memory : { minimum: 1 };
  const types = [
    ...imports.map(({ parameters = 0 }) => type(parameters, 1)),
    ...functions.map(({ parameters = 0, results = 0 }) => type(parameters, results)),
  ];
  const exported = functions.flatMap(({ exported: name }, index) =>
    name === undefined ? [] : [[...text(name), 0x00, ...unsigned(imports.length + index)]],
  );
  return Buffer.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(
      2,
      imports.map(({ module, name }, index) => [...text(module), ...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(
      3,
      functions.map((_, index) => unsigned(imports.length + index)),
    ),
    ...(memory === undefined ? [] : section(5, [limits(memory)])),
    ...section(7, memory === undefined ? exported : [[...text("memory"), 0x02, 0x00], ...exported]),
    ...section(
      10,
      functions.map(({ body }) => sized([0x00, ...body, 0x0b])),
    ),
    ...(data === undefined ? [] : section(11, [[0x00, ...code.answer(16), 0x0b, ...text(data)]])),
  ]);
}

/** A plugin that starts and takes every configuration; `overrides` replaces exports by name, or takes them out. */
export function aProxyPlugin(
  overrides: Readonly<Record<string, AFunction | undefined>> = {},
  rest: ModuleParts = {},
): Buffer {
  const good: Record<string, AFunction | undefined> = {
    proxy_abi_version_0_2_100: { body: code.nothing },
    _initialize: { body: code.nothing },
    malloc: { parameters: 1, results: 1, body: code.answer(1024) },
    proxy_on_context_create: { parameters: 2, body: code.nothing },
    proxy_on_vm_start: { parameters: 2, results: 1, body: code.answer(1) },
    proxy_on_configure: { parameters: 2, results: 1, body: code.answer(1) },
    ...overrides,
  };
  const functions = Object.entries(good).flatMap(([exported, each]) =>
    each === undefined ? [] : [{ ...each, exported }],
  );
  return aWasmModule({ ...rest, functions: [...functions, ...(rest.functions ?? [])] });
}

function type(parameters: number, results: 0 | 1): readonly number[] {
  return [
    0x60,
    ...unsigned(parameters),
    ...Array<number>(parameters).fill(0x7f),
    results,
    ...(results === 1 ? [0x7f] : []),
  ];
}

function limits({ minimum, maximum }: { readonly minimum: number; readonly maximum?: number }): readonly number[] {
  return maximum === undefined ? [0x00, ...unsigned(minimum)] : [0x01, ...unsigned(minimum), ...unsigned(maximum)];
}

function section(id: number, entries: readonly (readonly number[])[]): readonly number[] {
  return entries.length === 0 ? [] : [id, ...sized([...unsigned(entries.length), ...entries.flat()])];
}

const sized = (body: readonly number[]): readonly number[] => [...unsigned(body.length), ...body];
const text = (value: string): readonly number[] => sized([...Buffer.from(value)]);

function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...unsigned(Math.floor(value / 0x80))];
}

function signed(value: number): readonly number[] {
  const done = value >= -64 && value < 64;
  return done ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
