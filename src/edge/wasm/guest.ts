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
  /** Says the last lines, of a guest that had more to say than is kept. */
  flush(): void;
}

/** Arguments are i32, or i64 (a bigint) where nobody here looks at them. */
export type HostCall = (...args: readonly number[]) => number;

export type Exports = Readonly<Record<string, unknown>>;

export type Step = "compile" | "instantiate" | "start" | "context" | "vm" | "configure" | "http";

/** From the worker to its owner, in this order of time; the owner may stop the worker between any two. */
export type Message =
  | { readonly type: "step"; readonly step: Step }
  | { readonly type: "answer"; readonly step: Step; readonly value: number }
  | { readonly type: "log"; readonly level: string; readonly text: string }
  | { readonly type: "end"; readonly memory: number; readonly why?: string };

export interface Job {
  readonly module: Uint8Array;
  readonly name: string;
  readonly config: string;
}
