import type { Guest, HostCall } from "./guest.ts";

/**
 * WASI as a gateway offers it (proxy-wasm-cpp-host, `exports.cc`): time, randomness, stdout and stderr. What is not here
 * answers ENOSYS. There is no argument, no environment and no file.
 *
 * Its text is what runs in the worker (`worker-source.ts`): it may use its parameters and globals, nothing else.
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
