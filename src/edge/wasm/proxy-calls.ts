import type { Guest, HostCall } from "./guest.ts";

/**
 * Host calls of module `env` that must answer something. All others answer 0, "ok", and do nothing: no network, no
 * files, no other plugin. Statuses: https://github.com/proxy-wasm/spec/tree/main/abi-versions.
 *
 * Its text is what runs in the worker (`worker-source.ts`): it may use its parameters and globals, nothing else.
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
    const wanted = guest.config.subarray(
      start >>> 0,
      Math.min(guest.config.byteLength, (start >>> 0) + (length >>> 0)),
    );
    if (wanted.byteLength === 0) return number(toPointer, 0) + number(toSize, 0);
    guest.give(wanted, toPointer, toSize);
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
      if (new TextDecoder().decode(guest.bytes(path, Math.min(length, 64))) !== "plugin_name") return notFound;
      guest.give(new TextEncoder().encode(guest.name), toPointer, toSize);
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
