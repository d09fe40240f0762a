import { gzipSync } from "node:zlib";

import wabt from "wabt";

const good = {
  imports: `(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))`,
  memory: `(memory (export "memory") 2)`,
  init: `(func (export "_initialize"))`,
  malloc: `(func (export "malloc") (param i32) (result i32) i32.const 2048)`,
  abi: `(func (export "proxy_abi_version_0_2_1"))`,
  create: `(func (export "proxy_on_context_create") (param i32 i32))`,
  vm: `(func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)`,
  configure: `(func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)`,
  rest: "",
};
type Parts = Partial<typeof good>;

const callback = (name: string, body: string): string =>
  `(func (export "${name}") (param i32 i32) (result i32) ${body})`;
const host = (name: string, parameters: number, module = "env"): string =>
  `(import "${module}" "${name}" (func $call ${parameters === 0 ? "" : `(param${" i32".repeat(parameters)})`} (result i32)))`;
const calls = (parameters: number): string => `(drop (call $call${" (i32.const 64)".repeat(parameters)}))`;
/** A plugin that calls the host in `_initialize`, which is before most of it is allowed. */
const early = (name: string, parameters: number, module?: string): Parts => ({
  imports: host(name, parameters, module),
  init: `(func (export "_initialize") ${calls(parameters)})`,
});
const wasi = "wasi_snapshot_preview1";

/** Small plugins by what is odd about them, each otherwise good. */
const parts: Readonly<Record<string, Parts>> = {
  good: {},
  "an import of the gateway's own that is not there": { imports: host("proxy_no_such", 1) },
  "an import of WASI that is not there": { imports: host("fd_nosuch", 1, wasi) },
  "an import of another module": { imports: host("f", 0, "other") },
  "an import with other parameters": { imports: host("proxy_log", 1) },
  "an import with a result too few": { imports: `(import "env" "proxy_log" (func (param i32 i32 i32)))` },
  "an import with i32 for i64": { imports: host("clock_time_get", 3, wasi) },
  "a callback with other parameters": { create: `(func (export "proxy_on_context_create") (param i32))` },
  "a callback without its result": { configure: `(func (export "proxy_on_configure") (param i32 i32))` },
  "a malloc without its result": { malloc: `(func (export "malloc") (param i32))` },
  "an imported memory": { imports: `(import "env" "memory" (memory 2))`, memory: `(export "memory" (memory 0))` },
  "an imported global": { imports: `(import "env" "g" (global i32))` },
  "an imported table": { imports: `(import "env" "__indirect_function_table" (table 1 funcref))` },
  "no ABI": { abi: "" },
  "an unknown ABI": { abi: `(func (export "proxy_abi_version_0_3_0"))` },
  "ABI 0.2.0": { abi: `(func (export "proxy_abi_version_0_2_0"))` },
  "ABI 0.1.0": { abi: `(func (export "proxy_abi_version_0_1_0"))` },
  "two ABIs": { abi: `(func (export "proxy_abi_version_0_2_0")) (func (export "proxy_abi_version_0_2_1"))` },
  "an unknown ABI and a known one": {
    abi: `(func (export "proxy_abi_version_0_9_9")) (func (export "proxy_abi_version_0_2_1"))`,
  },
  "no malloc": { malloc: "" },
  "no _initialize": { init: "" },
  "no proxy_on_context_create": { create: "" },
  "no proxy_on_configure": { configure: "" },
  "no proxy_on_vm_start": { vm: "" },
  "a memory that is not exported": { memory: `(memory 2)` },
  "no memory": { memory: "" },
  "a memory of another name": { memory: `(memory (export "mem") 2)` },
  "_start for _initialize": { init: `(func (export "_start"))` },
  "a trap in _initialize": { init: `(func (export "_initialize") unreachable)` },
  "a trap in main": { rest: callback("main", "unreachable") },
  "a trap in proxy_on_context_create": {
    create: `(func (export "proxy_on_context_create") (param i32 i32) unreachable)`,
  },
  "a trap in proxy_on_vm_start": { vm: callback("proxy_on_vm_start", "unreachable") },
  "a trap in proxy_on_configure": { configure: callback("proxy_on_configure", "unreachable") },
  "a trap in a request": {
    rest: `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)`,
  },
  "configure answers 0": { configure: callback("proxy_on_configure", "i32.const 0") },
  "configure answers 2": { configure: callback("proxy_on_configure", "i32.const 2") },
  "vm_start answers 0": { vm: callback("proxy_on_vm_start", "i32.const 0") },
  "vm_start answers 2": { vm: callback("proxy_on_vm_start", "i32.const 2") },
  "a metric defined in _initialize": early("proxy_define_metric", 4),
  "a property read in _initialize": early("proxy_get_property", 4),
  "a tick set in _initialize": early("proxy_set_tick_period_milliseconds", 1),
  "the gateway's time in _initialize": early("proxy_get_current_time_nanoseconds", 1),
  "the log level in _initialize": early("proxy_get_log_level", 1),
  "a log line in _initialize": early("proxy_log", 3),
  "random bytes in _initialize": early("random_get", 2, wasi),
  "sched_yield in _initialize": early("sched_yield", 0, wasi),
  "fd_fdstat_get in _initialize": early("fd_fdstat_get", 2, wasi),
  "fd_fdstat_set_flags in _initialize": early("fd_fdstat_set_flags", 2, wasi),
  "fd_prestat_get in _initialize": early("fd_prestat_get", 2, wasi),
  "fd_close in _initialize": early("fd_close", 1, wasi),
  "fd_read in _initialize": early("fd_read", 4, wasi),
  "poll_oneoff in _initialize": early("poll_oneoff", 4, wasi),
  "environ_sizes_get in _initialize": early("environ_sizes_get", 2, wasi),
  "args_sizes_get in _initialize": early("args_sizes_get", 2, wasi),
  "a metric defined in main": {
    imports: host("proxy_define_metric", 4),
    rest: callback("main", `${calls(4)} i32.const 0`),
  },
  "a metric defined in proxy_on_context_create": {
    imports: host("proxy_define_metric", 4),
    create: `(func (export "proxy_on_context_create") (param i32 i32) ${calls(4)})`,
  },
  "a start section that does nothing": { rest: `(func $s) (start $s)` },
  "a start section that traps": { rest: `(func $s unreachable) (start $s)` },
  "a start section that logs": {
    rest: `(func $s (drop (call $log (i32.const 2) (i32.const 16) (i32.const 4)))) (start $s)`,
  },
  "proc_exit in _initialize": {
    imports: `(import "${wasi}" "proc_exit" (func $exit (param i32)))`,
    init: `(func (export "_initialize") (call $exit (i32.const 0)))`,
  },
  "a loop in configure": { configure: callback("proxy_on_configure", "(loop $l (br $l)) i32.const 1") },
  "a recursion in configure": {
    configure: `(func $r (export "proxy_on_configure") (param i32 i32) (result i32) (call $r (local.get 0) (local.get 1)))`,
  },
  "600 MiB of memory": { memory: `(memory (export "memory") 9600)` },
  "a pointer out of memory": {
    configure: callback(
      "proxy_on_configure",
      "(drop (call $log (i32.const 2) (i32.const 0x7fffff00) (i32.const 400))) i32.const 1",
    ),
  },
};

const featured: Readonly<Record<string, readonly [Readonly<Record<string, boolean>>, Parts]>> = {
  SIMD: [{ simd: true }, { rest: `(func (result v128) v128.const i32x4 1 2 3 4)` }],
  "tail calls": [
    { tail_call: true },
    { rest: `(func $a (result i32) return_call $b) (func $b (result i32) i32.const 1)` },
  ],
  exceptions: [{ exceptions: true }, { rest: `(tag $t (param i32)) (func (throw $t (i32.const 1)))` }],
  "64-bit memory": [{ memory64: true }, { memory: `(memory (export "memory") i64 2)` }],
  "two memories": [{ multi_memory: true }, { memory: `(memory (export "memory") 2) (memory $b 1)` }],
  "shared memory": [{ threads: true }, { memory: `(memory (export "memory") 2 4 shared)` }],
  "relaxed SIMD": [
    { relaxed_simd: true },
    {
      rest: `(func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd)`,
    },
  ],
  "extended constants": [{ extended_const: true }, { rest: `(global i32 (i32.add (i32.const 1) (i32.const 2)))` }],
  "reference types": [
    { reference_types: true },
    { rest: `(table 1 externref) (func (param externref) (result externref) local.get 0)` },
  ],
};

/** With a type of GC behind the others; the section of types is the first, and short. */
function withStruct(module: Buffer): Buffer {
  const [head, size, count] = [module.subarray(0, 9), module[9] ?? 0, module[10] ?? 0];
  const struct = [0x5f, 1, 0x7f, 1];
  const types = [size + struct.length, count + 1, ...module.subarray(11, 10 + size), ...struct];
  return Buffer.concat([head, Buffer.from(types), module.subarray(10 + size)]);
}

/** Sections of names, none of which an engine minds; each number and length is less than 128. */
const nameSections: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "names of functions": [[1, 7, 2, 0, 1, 97, 1, 1, 98]],
  "names of a kind that nobody knows": [[99, 3, 1, 2, 3]],
  "names that are cut": [[0, 50, 97]],
  "names that reach into the next section": [[0, 3, 97], []],
  "function names that are too many": [[1, 4, 90, 0, 1, 97]],
  "function names that end early": [[1, 9, 1, 0, 1, 97, 0, 0, 0, 0, 0]],
  "function names that end late": [[1, 2, 1, 0, 1, 97]],
  "names twice, the second cut": [
    [1, 4, 1, 0, 1, 97],
    [0, 50, 97],
  ],
};

const nameSection = (content: readonly number[]): Buffer =>
  Buffer.from([0, content.length + 5, 4, ...Buffer.from("name"), ...content]);

/** Every module as bytes, by what is odd about it. */
export async function oddModules(): Promise<Readonly<Record<string, Uint8Array>>> {
  const toolkit = await wabt();
  const common = { mutable_globals: true, sign_extension: true, bulk_memory: true, multi_value: true };
  const assemble = (features: object, odd: Parts): Uint8Array => {
    const text = `(module ${Object.values({ ...good, ...odd }).join("\n")})`;
    return toolkit.parseWat("plugin", text, { ...common, ...features }).toBinary({}).buffer;
  };
  const plain = Object.entries(parts).map(([name, odd]) => [name, assemble({}, odd)] as const);
  const modern = Object.entries(featured).map(([name, [features, odd]]) => [name, assemble(features, odd)] as const);
  const whole = Buffer.from(assemble({}, {}));
  return {
    ...Object.fromEntries([...plain, ...modern]),
    "nothing but a header": whole.subarray(0, 8),
    "nothing at all": Buffer.alloc(0),
    "a page of HTML": Buffer.from("<html><body>404 Not Found</body></html>"),
    "a cut end": whole.subarray(0, -10),
    ...Object.fromEntries(
      Object.entries(nameSections).map(([name, all]) => [name, Buffer.concat([whole, ...all.map(nameSection)])]),
    ),
    "the text of a module": Buffer.from("(module)"),
    "a module in gzip": gzipSync(whole),
    "one byte": whole.subarray(0, 1),
    "a cut in the middle": whole.subarray(0, whole.length / 2),
    "structs of GC": withStruct(whole),
    "bytes behind the end": Buffer.concat([whole, Buffer.from("trailing garbage")]),
    "a component": Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), whole.subarray(8)]),
  };
}
