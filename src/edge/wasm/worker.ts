import type { StartStep } from "../../model/plugin-start.ts";
import { guestOf, type Exports, type Job, type Message } from "./guest.ts";
import { importsFor, proxyCalls, wasiCalls } from "./host-calls.ts";

interface HostSide {
  readonly guestOf: typeof guestOf;
  readonly importsFor: typeof importsFor;
  readonly proxyCalls: typeof proxyCalls;
  readonly wasiCalls: typeof wasiCalls;
}

/**
 * Compiles a module and takes it through what a gateway does when a plugin is switched on: `_initialize` and `main` or
 * `_start`, the root context, the VM, the configuration, one HTTP context. Each step is said before it is taken, so that
 * the owner knows where a module hangs.
 *
 * Its text is what runs in the worker (`worker.ts`): it may use its parameters and globals, nothing else.
 */
function startSequence(host: HostSide, job: Job, post: (message: Message) => void): void {
  let exports: Exports = {};
  const guest = host.guestOf(job, () => exports, post);
  let now: StartStep = "compile";
  const take = <T>(step: StartStep, work: () => T): T => {
    now = step;
    post({ type: "step", step });
    const answer = work();
    post({ type: "answer", step, value: typeof answer === "number" ? answer : 1 });
    return answer;
  };
  // Before the root context most calls are refused; in the start section every call makes Envoy crash (seen in 1.36, 1.40).
  const early = job.earlyCalls === undefined ? undefined : new Set(job.earlyCalls);
  const refuses = (call: string): string | undefined => {
    if (now === "instantiate") return "host call in the start section, which crashes the gateway";
    return now === "start" && early?.has(call) === false ? "restricted_callback" : undefined;
  };
  let why: string | undefined;
  try {
    const module = take("compile", () => new WebAssembly.Module(job.module));
    const offer = { proxy: host.proxyCalls(guest), wasi: host.wasiCalls(guest) };
    const imports = host.importsFor(module, offer, refuses);
    exports = take("instantiate", () => new WebAssembly.Instance(module, imports)).exports;
    take("start", () => {
      if (guest.call("_initialize") === undefined) guest.call("_start");
      else guest.call("main", 0, 0);
    });
    take("context", () => void guest.call("proxy_on_context_create", 1, 0));
    take("vm", () => guest.call("proxy_on_vm_start", 1, 0));
    take("configure", () => guest.call("proxy_on_configure", 1, guest.config.byteLength));
    take("http", () => void guest.call("proxy_on_context_create", 2, 1));
  } catch (error) {
    why = String(error instanceof Error ? error.message : error).slice(0, 2000);
  }
  guest.flush();
  post({ type: "end", memory: guest.view().byteLength, ...(why === undefined ? {} : { why }) });
}

const host: HostSide = { guestOf, importsFor, proxyCalls, wasiCalls };

/**
 * The worker's program as text, for `new Worker(text, { eval: true })`. It is made of the very functions that are typed
 * and linted beside this file, by `toString()`: a file of its own would be lost when everything is bundled into one, and
 * in a single executable there is no file at all. What it costs: those functions refer to nothing outside themselves. A
 * test runs this text from source and from a minified bundle, so that breaking the rule shows.
 */
export function workerSource(): string {
  return [
    `"use strict";`,
    `const { parentPort, workerData } = require("node:worker_threads");`,
    // esbuild's keepNames wraps functions in this; together with `minify` it would have another name, and not work.
    `const __name = (value) => value;`,
    `const host = { ${Object.entries<{ toString(): string }>({ ...host })
      .map(([name, part]) => `${name}: ${part.toString()}`)
      .join(", ")} };`,
    `(${startSequence.toString()})(host, workerData, (message) => parentPort.postMessage(message));`,
  ].join("\n");
}
