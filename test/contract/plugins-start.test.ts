import { describe, expect, it } from "vitest";
import { moduleStarter } from "../../src/edge/wasm/starter.ts";
import { aProxyPlugin, code } from "../rig/wasm/module.ts";

const limits = { timeoutMs: 60_000, memoryMiB: 64 };
/** For a worker to start and to come to the step that never ends, on a busy machine, too. */
const enough = { timeoutMs: 4000, memoryMiB: 64 };
const start = (module: Uint8Array, config = "{}", options = limits) => moduleStarter().start(module, config, options);

/** `proxy_log(level, at, length)` of the text at 16. */
const says = (level: number, length: number) =>
  code.sequence(code.answer(level), code.answer(16), code.answer(length), code.call(0), code.drop);
const logging = { imports: [{ module: "env", name: "proxy_log", parameters: 3 }], data: "no such provider" };

describe("moduleStarter", () => {
  it("takes a module through every step that a gateway takes", async () => {
    const result = await start(aProxyPlugin());
    expect(result.error).toBeUndefined();
    expect(result.steps).toEqual({ compile: 1, instantiate: 1, start: 1, context: 1, vm: 1, configure: 1, http: 1 });
    expect(result.memory).toBe(65_536);
  });

  it("hands on what the module said before it refused its configuration", async () => {
    const body = code.sequence(says(4, 16), code.answer(0));
    const result = await start(aProxyPlugin({ proxy_on_configure: { parameters: 2, results: 1, body } }, logging));
    expect(result.steps.configure).toBe(0);
    expect(result.logs).toEqual([{ level: "error", text: "no such provider" }]);
  });

  it("ends a module that never ends, and says in which step it was", async () => {
    const proxy_on_configure = {
      parameters: 2,
      results: 1,
      body: code.sequence(code.loopForever, code.answer(1)),
    } as const;
    const result = await start(aProxyPlugin({ proxy_on_configure }), "{}", enough);
    expect(result.error).toEqual({ step: "configure", why: "no end after 4000 ms" });
    expect(result.steps.vm).toBe(1);
  });

  it("gives a module that allocates without end no more than it was allowed", async () => {
    const before = process.memoryUsage().rss;
    const result = await start(aProxyPlugin({ _initialize: { body: code.growForever } }));
    expect(result.error).toMatchObject({ step: "start" });
    expect(result.memory).toBeLessThanOrEqual(limits.memoryMiB * 1024 ** 2);
    expect(result.memory).toBeGreaterThan(32 * 1024 ** 2);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 ** 2);
  });

  it("refuses a module that asks for more memory than it may have before it is compiled", async () => {
    const result = await start(aProxyPlugin({}, { memory: { minimum: 60_000 } }));
    expect(result.error).toEqual({ step: "instantiate", why: "asks for 60000 pages of memory, 1024 allowed" });
  });

  it("reports a trap with its step", async () => {
    const result = await start(aProxyPlugin({ proxy_on_vm_start: { parameters: 2, results: 1, body: code.trap } }));
    expect(result.error).toEqual({ step: "vm", why: "unreachable" });
  });

  it("reports a module that V8 does not take as a failure to compile", async () => {
    const result = await start(aProxyPlugin({ malloc: { parameters: 1, results: 1, body: code.nothing } }));
    expect(result.error?.step).toBe("compile");
  });

  it("keeps the first and the last words of a module that logs without end", async () => {
    const loop = code.sequence([0x03, 0x40], says(2, 16), [0x0c, 0x00, 0x0b], code.answer(1));
    const endless = await start(
      aProxyPlugin({ proxy_on_configure: { parameters: 2, results: 1, body: loop } }, logging),
      "{}",
      enough,
    );
    expect(endless.error?.why).toBe("no end after 4000 ms");
    expect(endless.logs).toHaveLength(100);
  });

  it("stops at once when it is told to, with the reason it was given", async () => {
    const stop = new AbortController();
    const body = code.sequence(code.loopForever, code.answer(1));
    const module = aProxyPlugin({ proxy_on_configure: { parameters: 2, results: 1, body } });
    const running = moduleStarter().start(module, "{}", { ...limits, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 100);
    await expect(running).rejects.toThrow("enough");
  });

  it("leaves the caller's bytes as they were", async () => {
    const module = aProxyPlugin();
    const copy = Buffer.from(module);
    await start(module);
    expect(module.equals(copy)).toBe(true);
  });
});
