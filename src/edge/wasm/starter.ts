import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { capMemory } from "../../content/wasm-memory.ts";
import { ModuleError } from "../../content/wasm.ts";
import type { ModuleStarter, StartOptions, StartResult, StartStep } from "../../model/plugin-start.ts";
import type { Job, Message } from "./guest.ts";
import { workerSource } from "./worker.ts";

/** JavaScript heap of the worker: its own code, V8's tables of the module, nothing of the module's memory. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

/**
 * Starts modules that nobody vouches for. Each gets a worker of its own that is ended with it. A module has stub host
 * calls only; its memory is capped in its binary, its time by ending the worker, its words by the worker itself. Compiling
 * happens over there too, so a module that takes V8 long to read holds up nothing here.
 */
export function moduleStarter(): ModuleStarter {
  const source = workerSource();
  return { start: (module, config, options) => start(source, { module, config, options }) };
}

interface Started {
  readonly module: Uint8Array;
  readonly config: string;
  readonly options: StartOptions;
}

async function start(source: string, { module, config, options }: Started): Promise<StartResult> {
  options.signal?.throwIfAborted();
  const capped = tryToCap(module, options.memoryMiB * 1024 ** 2);
  if (typeof capped === "string")
    return { steps: {}, logs: [], memory: 0, error: { step: "instantiate", why: capped } };
  const workerData: Job = { module: capped, name: options.name ?? "plugin", config, earlyCalls: options.earlyCalls };
  const worker = new Worker(source, {
    eval: true,
    workerData,
    transferList: [capped.buffer],
    resourceLimits,
    env: {},
    argv: [],
    execArgv: [],
    // Nothing of a worker reaches our own output.
    stdout: true,
    stderr: true,
  });
  try {
    return await watched(worker, options);
  } finally {
    worker.unref();
    // A compile cannot be interrupted; the worker ends when it is over, and nobody waits for that.
    await Promise.race([worker.terminate(), delay(1000, undefined, { ref: false })]);
  }
}

function tryToCap(module: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> | string {
  try {
    return capMemory(module, bytes);
  } catch (error) {
    if (error instanceof ModuleError) return error.message;
    throw error;
  }
}

/** Follows the worker's messages until it says that it is done, dies, or runs out of time. */
function watched(worker: Worker, { timeoutMs, signal }: StartOptions): Promise<StartResult> {
  const steps: Partial<Record<StartStep, number>> = {};
  const logs: { level: string; text: string }[] = [];
  let step: StartStep = "compile";
  return new Promise((resolve, reject) => {
    const settle = (memory: number, why?: string): void => {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", abort);
      worker.removeAllListeners("message");
      resolve({ steps, logs, memory, ...(why === undefined ? {} : { error: { step, why } }) });
    };
    const abort = (): void => {
      clearTimeout(deadline);
      reject(signal?.reason as Error);
    };
    const deadline = setTimeout(() => settle(0, `no end after ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    worker.on("message", (message: Message) => {
      if (message.type === "step") step = message.step;
      else if (message.type === "answer") steps[message.step] = message.value;
      else if (message.type === "log") logs.push({ level: message.level, text: message.text });
      else settle(message.memory, message.why);
    });
    worker.on("error", (error) => settle(0, reasonOf(error)));
    worker.on("exit", (code) => settle(0, `worker ended (${code})`));
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === "ERR_WORKER_OUT_OF_MEMORY" ? "out of memory" : String(message ?? error);
}
