import type { FunctionTypes } from "../../content/wasm-types.ts";
import type { ModuleOutline, ModuleImport } from "../../content/wasm.ts";
import type { GatewayGeneration, GatewayGenerations } from "../../model/gateway.ts";

const abiPrefix = "proxy_abi_version_";

/** Suffixes of all exported functions that name an ABI version; a good module has one. */
export function abiVersions(module: ModuleOutline): readonly string[] {
  return functionsOf(module)
    .filter((name) => name.startsWith(abiPrefix))
    .map((name) => name.slice(abiPrefix.length));
}

/** What the loader looks up by name and cannot do without. It needs neither `_initialize` nor an exported memory. */
const allocators = ["malloc", "proxy_on_memory_allocate"];

export function missingExports(module: ModuleOutline): readonly string[] {
  const functions = new Set(functionsOf(module));
  return allocators.some((name) => functions.has(name)) ? [] : [allocators.join(" or ")];
}

/** Functions that the gateway has, or calls, with other types: it refuses the module for the first of them. */
export function mismatches(types: FunctionTypes, table: GatewayGenerations, abi: string): readonly string[] {
  const callbacks = { ...table.callbackTypes, ...(abi === "0_1_0" ? table.oldCallbackTypes : {}) };
  const differs = (name: string, has: string, wanted: string | undefined): readonly string[] =>
    wanted === undefined || wanted === has ? [] : [`${name} (${has}; ${wanted})`];
  return [
    ...types.imports.flatMap(({ module, name, type }) => differs(`${module}.${name}`, type, table.callTypes[name])),
    ...types.exports.flatMap(({ name, type }) => differs(name, type, callbacks[name])),
  ];
}

function functionsOf(module: ModuleOutline): readonly string[] {
  return module.exports.filter(({ kind }) => kind === "function").map(({ name }) => name);
}

/** Host calls that only Higress' Envoy has (proxy-wasm-cpp-host of higress-group, `exports.h`). */
const higressCalls: ReadonlySet<string> = new Set([
  "proxy_redis_init",
  "proxy_redis_call",
  "proxy_get_upstream_hosts",
  "proxy_set_upstream_override_host",
  "proxy_inject_encoded_data_to_filter_chain",
]);

const wasiModules: ReadonlySet<string> = new Set(["wasi_snapshot_preview1", "wasi_unstable"]);

/** `env.proxy_log`, as the gateway writes it when it is missing. */
export const printImport = ({ module, name }: ModuleImport): string => `${module}.${name}`;

export function higressOnly(imports: readonly ModuleImport[]): readonly string[] {
  return imports.filter(({ module, name }) => module === "env" && higressCalls.has(name)).map(({ name }) => name);
}

export interface HostOffer {
  readonly table: GatewayGenerations;
  readonly generation: GatewayGeneration;
  readonly abi: string;
}

/** Imports that a gateway cannot satisfy: it refuses the module with "missing import" for the first of them. */
export function missingImports(imports: readonly ModuleImport[], offer: HostOffer): readonly string[] {
  const { table, generation, abi } = offer;
  const calls = new Set([...generation.proxy, ...(table.abiCalls[abi] ?? [])].map((call) => `proxy_${call}`));
  const env = new Set([...calls, ...table.env]);
  const wasi = new Set(generation.wasi);
  const offered = ({ module, name, kind }: ModuleImport): boolean =>
    // Envoy's V8 makes whatever memory and table a module wants to have from outside.
    kind === "memory" ||
    kind === "table" ||
    (kind === "function" && ((module === "env" && env.has(name)) || (wasiModules.has(module) && wasi.has(name))));
  return imports.filter((wanted) => !offered(wanted)).map(printImport);
}
