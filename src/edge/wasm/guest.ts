import type { StartStep } from "../../model/plugin-start.ts";

/** What host calls see of the module that makes them. */
export interface Guest {
  readonly name: string;
  readonly config: Uint8Array;
  view(): DataView;
  /** A window on the guest's memory; throws RangeError when it is not wholly inside. */
  bytes(at: number, length: number): Uint8Array;
  /** Copies bytes into memory that the guest hands out, and writes where and how many. */
  give(bytes: Uint8Array, toPointer: number, toSize: number): void;
  say(level: string, text: Uint8Array): void;
  /** Calls an export; `undefined` when there is none of that name, 1 when it answers nothing. */
  call(name: string, ...args: readonly number[]): number | undefined;
  /** Hands over the last lines of a guest that logged more than is kept. */
  flush(): void;
}

/** Arguments are i32, or i64 (a bigint) where nobody here looks at them. */
export type HostCall = (...args: readonly number[]) => number;

export type Exports = Readonly<Record<string, unknown>>;

/** From the worker to its owner, in this order of time; the owner may stop the worker between any two. */
export type Message =
  | { readonly type: "step"; readonly step: StartStep }
  | { readonly type: "answer"; readonly step: StartStep; readonly value: number }
  | { readonly type: "log"; readonly level: string; readonly text: string }
  | { readonly type: "end"; readonly memory: number; readonly why?: string };

export interface Job {
  readonly module: Uint8Array;
  readonly name: string;
  readonly config: string;
  /** Calls that are allowed before the root context is there; all of them when it is not known. */
  readonly earlyCalls: readonly string[] | undefined;
}

/**
 * The guest as host calls see it; `exportsOf` answers an empty record until the module is instantiated.
 *
 * Its text is what runs in the worker (`worker.ts`): it may use its parameters and globals, nothing else.
 */
export function guestOf(job: Job, exportsOf: () => Exports, post: (message: Message) => void): Guest {
  // The first lines say what it is, the last what went wrong; a module that logs without end must not fill our memory.
  const keep = { first: 100, last: 20, length: 2000 };
  const last: Message[] = [];
  let said = 0;
  // By its kind: the gateway does not ask what a memory is called.
  const isMemory = (each: unknown): each is { buffer: ArrayBuffer } =>
    (each as { buffer?: unknown } | undefined)?.buffer instanceof ArrayBuffer;
  const buffer = (): ArrayBuffer => Object.values(exportsOf()).find(isMemory)?.buffer ?? new ArrayBuffer(0);
  const guest: Guest = {
    name: job.name,
    config: new TextEncoder().encode(job.config),
    view: () => new DataView(buffer()),
    bytes: (at, length) => new Uint8Array(buffer(), at >>> 0, length >>> 0),
    give: (bytes, toPointer, toSize) => {
      const size = bytes.byteLength;
      // As the gateway does, the guest is asked for no memory when there is nothing to keep.
      const at = size === 0 ? 0 : (guest.call("malloc", size) ?? guest.call("proxy_on_memory_allocate", size) ?? 0);
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
