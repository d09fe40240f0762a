import type { ModuleOutline } from "../../content/wasm/module.ts";

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
