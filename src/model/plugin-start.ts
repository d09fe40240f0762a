/** The steps of a start, in the order in which a gateway takes them. */
export type StartStep = "compile" | "instantiate" | "start" | "context" | "vm" | "configure" | "http";

export interface StartLine {
  /** `trace` to `critical`, or `stdout` and `stderr`. */
  readonly level: string;
  readonly text: string;
}

export interface StartResult {
  /** What each step answered; 1 where it answers nothing. Steps that were not come to are absent. */
  readonly steps: Readonly<Partial<Record<StartStep, number>>>;
  /** Bounded: the first lines and the last. Text of others, as it came. */
  readonly logs: readonly StartLine[];
  /** Bytes of wasm memory at the end. */
  readonly memory: number;
  /** Where it stopped, when it did: a trap, or one of ours (`deadline`, `out of memory`). */
  readonly error?: { readonly step: StartStep; readonly why: string } | undefined;
}

export interface StartOptions {
  readonly timeoutMs: number;
  readonly memoryMiB: number;
  /** What the plugin is called: some ask for it (`plugin_name`). */
  readonly name?: string | undefined;
  /** What the module may call before its root context is there; everything unless told. */
  readonly earlyCalls?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Starts a module as a gateway would, apart from everything else: it can neither reach nor exhaust the host. */
export interface ModuleStarter {
  start(module: Uint8Array, config: string, options: StartOptions): Promise<StartResult>;
}
