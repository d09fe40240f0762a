import type { HostCall } from "./guest.ts";

/**
 * A function for each import, known or not: what a gateway lacks was told before (`missingImports`).
 *
 * Its text is what runs in the worker (`worker-source.ts`): it may use its parameters and globals, nothing else.
 */
export function importsFor(
  module: WebAssembly.Module,
  offer: { readonly proxy: Record<string, HostCall>; readonly wasi: Record<string, HostCall> },
): Record<string, Record<string, HostCall>> {
  const imports: Record<string, Record<string, HostCall>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const proxy = from === "env";
    const known = (proxy ? offer.proxy : offer.wasi)[name];
    const call: HostCall = (...args) => {
      try {
        // "ok" and ENOSYS.
        return known === undefined ? (proxy ? 0 : 52) : known(...args);
      } catch (error) {
        // A pointer that leads out of the memory: "invalid memory access" and EFAULT.
        if (error instanceof RangeError) return proxy ? 6 : 21;
        throw error;
      }
    };
    (imports[from] ??= {})[name] = call;
  }
  return imports;
}
