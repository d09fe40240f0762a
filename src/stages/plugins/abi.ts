import type { ModuleOutline, ModuleImport } from "../../content/wasm.ts";
import type { GatewayGeneration, GatewayGenerations } from "../../model/gateway.ts";

const abiPrefix = "proxy_abi_version_";

/** Suffixes of all exported functions that name an ABI version; a good module has one. */
export function abiVersions(module: ModuleOutline): readonly string[] {
  return functionsOf(module)
    .filter((name) => name.startsWith(abiPrefix))
    .map((name) => name.slice(abiPrefix.length));
}

/** What the loader looks up by name and cannot do without; an `a or b` entry needs one of the two. */
const required = [
  ["_initialize", "_start"],
  ["malloc", "proxy_on_memory_allocate"],
  ["proxy_on_context_create"],
] as const;

export function missingExports(module: ModuleOutline): readonly string[] {
  const functions = new Set(functionsOf(module));
  const memory = module.exports.some(({ name, kind }) => kind === "memory" && name === "memory");
  return [
    ...required.filter((names) => !names.some((name) => functions.has(name))).map((names) => names.join(" or ")),
    ...(memory ? [] : ["memory"]),
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
    kind === "function" && ((module === "env" && env.has(name)) || (wasiModules.has(module) && wasi.has(name)));
  return imports.filter((wanted) => !offered(wanted)).map(printImport);
}
