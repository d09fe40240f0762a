import type { Guest, HostCall } from "./guest.ts";

/**
 * Host calls of module `env` that must answer something. All others answer 0, "ok", and do nothing: no network, no
 * files, no other plugin. Statuses: https://github.com/proxy-wasm/spec/tree/main/abi-versions.
 *
 * Its text is what runs in the worker (`worker.ts`): it may use its parameters and globals, nothing else.
 */
export function proxyCalls(guest: Guest): Record<string, HostCall> {
  const ok = 0;
  const notFound = 1;
  const levels = ["trace", "debug", "info", "warn", "error", "critical"];
  const vmConfiguration = 6;
  const pluginConfiguration = 7;
  const number = (at: number, value: number): number => {
    guest.view().setUint32(at, value, true);
    return ok;
  };
  const giveConfiguration = (start: number, length: number, toPointer: number, toSize: number): number => {
    const end = Math.min(guest.config.byteLength, (start >>> 0) + (length >>> 0));
    guest.give(guest.config.subarray(start >>> 0, end), toPointer, toSize);
    return ok;
  };
  return {
    proxy_log: (level, at, length) => {
      guest.say(levels[level] ?? "critical", guest.bytes(at, length));
      return ok;
    },
    proxy_get_buffer_bytes: (type, start, length, toPointer, toSize) => {
      if (type === pluginConfiguration) return giveConfiguration(start, length, toPointer, toSize);
      return type === vmConfiguration ? giveConfiguration(0, 0, toPointer, toSize) : notFound;
    },
    proxy_get_buffer_status: (type, toLength, toFlags) => {
      if (type !== pluginConfiguration) return notFound;
      number(toFlags, 0);
      return number(toLength, guest.config.byteLength);
    },
    proxy_get_configuration: (toPointer, toSize) => giveConfiguration(0, guest.config.byteLength, toPointer, toSize),
    proxy_get_current_time_nanoseconds: (at) => {
      guest.view().setBigUint64(at, BigInt(Date.now()) * 1_000_000n, true);
      return ok;
    },
    proxy_get_log_level: (at) => number(at, 2),
    proxy_get_property: (path, length, toPointer, toSize) => {
      const asked = new TextDecoder().decode(guest.bytes(path, Math.min(length, 64)));
      // The two ids are there before any request, too, and nobody sets them for a plugin of Higress.
      if (!/^plugin_(name|root_id|vm_id)$/.test(asked)) return notFound;
      guest.give(new TextEncoder().encode(asked === "plugin_name" ? guest.name : ""), toPointer, toSize);
      return ok;
    },
    proxy_define_metric: (_type, _name, _length, at) => number(at, 1),
    proxy_get_metric: (_metric, at) => {
      guest.view().setBigUint64(at, 0n, true);
      return ok;
    },
    proxy_register_shared_queue: (_name, _length, at) => number(at, 1),
    proxy_resolve_shared_queue: () => notFound,
    proxy_dequeue_shared_queue: () => notFound,
    proxy_get_shared_data: () => notFound,
    proxy_get_header_map_value: () => notFound,
    proxy_get_upstream_hosts: () => notFound,
    proxy_call_foreign_function: () => notFound,
    proxy_get_status: () => notFound,
    pthread_equal: (left, right) => Number(left === right),
  };
}

/**
 * WASI as a gateway offers it (proxy-wasm-cpp-host, `exports.cc`): time, randomness, stdout and stderr. What is not here
 * answers ENOSYS. There is no argument, no environment and no file.
 *
 * Its text is what runs in the worker (`worker.ts`): it may use its parameters and globals, nothing else.
 */
export function wasiCalls(guest: Guest): Record<string, HostCall> {
  const ok = 0;
  const badFile = 8;
  const noEntry = 44;
  const notSupported = 58;
  const none = (toCount: number, toSize: number): number => {
    guest.view().setUint32(toCount, 0, true);
    guest.view().setUint32(toSize, 0, true);
    return ok;
  };
  return {
    fd_write: (file, vectors, count, toWritten) => {
      if (file !== 1 && file !== 2) return badFile;
      let written = 0;
      for (let at = vectors; at < vectors + 8 * Math.min(count, 1024); at += 8) {
        const text = guest.bytes(guest.view().getUint32(at, true), guest.view().getUint32(at + 4, true));
        guest.say(file === 2 ? "stderr" : "stdout", text);
        written += text.byteLength;
      }
      guest.view().setUint32(toWritten, written, true);
      return ok;
    },
    fd_close: () => ok,
    fd_seek: () => ok,
    fd_prestat_get: () => badFile,
    fd_filestat_get: () => badFile,
    fd_fdstat_get: (file, at) => {
      if (file !== 1 && file !== 2) return badFile;
      guest.bytes(at, 24).fill(0);
      guest.view().setUint8(at + 8, 64);
      return ok;
    },
    path_open: () => noEntry,
    path_filestat_get: () => notSupported,
    args_sizes_get: none,
    args_get: () => ok,
    environ_sizes_get: none,
    environ_get: () => ok,
    clock_time_get: (clock, _precision, at) => {
      if (clock > 1) return notSupported;
      const now = clock === 0 ? Date.now() : performance.now();
      guest.view().setBigUint64(at, BigInt(Math.floor(now * 1000)) * 1000n, true);
      return ok;
    },
    random_get: (at, length) => {
      // More than 64 KiB in one call is what getRandomValues refuses; nobody needs it to start.
      const bytes = guest.bytes(at, length);
      for (let from = 0; from < bytes.byteLength; from += 65_536)
        crypto.getRandomValues(bytes.subarray(from, from + 65_536));
      return ok;
    },
    sched_yield: () => ok,
    poll_oneoff: (_in, _out, _count, toEvents) => {
      guest.view().setUint32(toEvents, 0, true);
      return ok;
    },
    proc_exit: (code) => {
      throw new Error(`proc_exit ${code}`);
    },
  };
}

/**
 * A function for each import, known or not: what a gateway lacks was told before (`missingImports`). `refuses` says why
 * a call may not be made now.
 *
 * Its text is what runs in the worker (`worker.ts`): it may use its parameters and globals, nothing else.
 */
export function importsFor(
  module: WebAssembly.Module,
  offer: { readonly proxy: Record<string, HostCall>; readonly wasi: Record<string, HostCall> },
  refuses: (call: string) => string | undefined,
): Record<string, Record<string, HostCall>> {
  const imports: Record<string, Record<string, HostCall>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const proxy = from === "env";
    const known = (proxy ? offer.proxy : offer.wasi)[name];
    const call: HostCall = (...args) => {
      const refusal = refuses(name);
      if (refusal !== undefined) throw new Error(`${refusal}: ${from}.${name}`);
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
