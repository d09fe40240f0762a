import type { Exports, Job, Message, Step } from "./guest.ts";
import type { guestOf } from "./guest-of.ts";
import type { importsFor } from "./imports-for.ts";
import type { proxyCalls } from "./proxy-calls.ts";
import type { wasiCalls } from "./wasi-calls.ts";

export interface HostSide {
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
 * Its text is what runs in the worker (`worker-source.ts`): it may use its parameters and globals, nothing else.
 */
export function startSequence(host: HostSide, job: Job, post: (message: Message) => void): void {
  let exports: Exports = {};
  const guest = host.guestOf(job, () => exports, post);
  const take = <T>(step: Step, work: () => T): T => {
    post({ type: "step", step });
    const answer = work();
    post({ type: "answer", step, value: typeof answer === "number" ? answer : 1 });
    return answer;
  };
  let why: string | undefined;
  try {
    const module = take("compile", () => new WebAssembly.Module(job.module));
    const offer = { proxy: host.proxyCalls(guest), wasi: host.wasiCalls(guest) };
    const imports = host.importsFor(module, offer);
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
