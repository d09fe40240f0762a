import type { Exports, Guest, Job, Message } from "./guest.ts";

/**
 * The guest as host calls see it; `exportsOf` answers an empty record until the module is instantiated.
 *
 * Its text is what runs in the worker (`worker-source.ts`): it may use its parameters and globals, nothing else.
 */
export function guestOf(job: Job, exportsOf: () => Exports, post: (message: Message) => void): Guest {
  // The first lines say what it is, the last what went wrong; a module that logs without end must not fill our memory.
  const keep = { first: 100, last: 20, length: 2000 };
  const last: Message[] = [];
  let said = 0;
  const buffer = (): ArrayBuffer =>
    (exportsOf()["memory"] as { buffer: ArrayBuffer } | undefined)?.buffer ?? new ArrayBuffer(0);
  const guest: Guest = {
    name: job.name,
    config: new TextEncoder().encode(job.config),
    view: () => new DataView(buffer()),
    bytes: (at, length) => new Uint8Array(buffer(), at >>> 0, length >>> 0),
    give: (bytes, toPointer, toSize) => {
      const size = bytes.byteLength;
      const at = guest.call("malloc", size) ?? guest.call("proxy_on_memory_allocate", size) ?? 0;
      guest.bytes(at, size).set(bytes);
      guest.view().setUint32(toPointer >>> 0, at, true);
      guest.view().setUint32(toSize >>> 0, size, true);
    },
    say: (level, text) => {
      const line: Message = { type: "log", level, text: new TextDecoder().decode(text.slice(0, keep.length)) };
      said += 1;
      if (said <= keep.first) post(line);
      else if (last.push(line) > keep.last) last.shift();
    },
    call: (name, ...args) => {
      const target = exportsOf()[name];
      return typeof target === "function"
        ? Number((target as (...args: readonly number[]) => unknown)(...args) ?? 1)
        : undefined;
    },
    flush: () => last.splice(0).forEach(post),
  };
  return guest;
}
