import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capMemory, pageSize } from "../../../src/content/wasm-memory.ts";
import { ModuleError, moduleProblem, outline } from "../../../src/content/wasm.ts";
import { aProxyPlugin, aWasmModule } from "../../rig/wasm/module.ts";

interface Engine {
  readonly Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): readonly object[];
    exports(module: object): readonly object[];
  };
}
const { Module } = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
const imports = [
  { module: "env", name: "proxy_log", parameters: 3 },
  { module: "wasi_snapshot_preview1", name: "fd_write" },
];
const memoryOf = (module: Uint8Array): string => Buffer.from(module).toString("hex");

describe("outline", () => {
  it("reads the imports and exports that V8 reads", () => {
    const bytes = aProxyPlugin({}, { imports });
    const { imports: found, exports } = outline(bytes);
    const module = new Module(bytes);
    expect(found.map(({ module: from, name, kind }) => ({ module: from, name, kind }))).toEqual(Module.imports(module));
    expect(exports.map(({ name, kind }) => ({ name, kind }))).toEqual(Module.exports(module));
  });

  it.each<[string, Buffer, RegExp]>([
    ["gzip", Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
    ["text", Buffer.from("<html></html>"), /magic/],
    ["a component", Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), /version 65549/],
    ["a header alone cut short", Buffer.from([0, 0x61, 0x73, 0x6d, 1]), /shorter/],
  ])("says what %s is", (_name, bytes, wanted) => {
    expect(moduleProblem(bytes)).toMatch(wanted);
  });

  it("says where a module is cut off", () => {
    expect(() => outline(aProxyPlugin().subarray(0, -9))).toThrow(/section 10 at byte \d+ is cut off/);
  });

  it("ends on every input with an outline or a ModuleError", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const bytes = aProxyPlugin({}, { imports });
        for (const [at, value] of changes) bytes[8 + (at % (bytes.length - 8))] = value;
        try {
          outline(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ModuleError);
        }
      }),
      { seed: 3, numRuns: 500 },
    ));
});

describe("capMemory", () => {
  it.each<[string, { readonly minimum: number; readonly maximum?: number }, number]>([
    ["gives a memory without a maximum the bound", { minimum: 1 }, 16],
    ["lowers a maximum to the bound", { minimum: 1, maximum: 65_536 }, 16],
    ["leaves a lower maximum", { minimum: 1, maximum: 2 }, 2],
  ])("%s", (_name, memory, maximum) => {
    const capped = capMemory(aProxyPlugin({}, { memory }), 16 * pageSize);
    expect(memoryOf(capped)).toBe(memoryOf(aProxyPlugin({}, { memory: { minimum: 1, maximum } })));
  });

  it("changes nothing else, and not the module it was given", () => {
    const module = aProxyPlugin({}, { imports, data: "hello" });
    const before = memoryOf(module);
    expect(outline(capMemory(module, 1024 ** 2)).exports).toEqual(outline(module).exports);
    expect(() => new Module(capMemory(module, 1024 ** 2))).not.toThrow();
    expect(memoryOf(module)).toBe(before);
  });

  it("refuses what asks for more than the bound to begin with", () => {
    expect(() => capMemory(aProxyPlugin({}, { memory: { minimum: 17 } }), 16 * pageSize)).toThrow(/asks for 17 pages/);
  });

  it("passes a module without a memory", () => {
    const module = aWasmModule({ memory: undefined });
    expect(memoryOf(capMemory(module, pageSize))).toBe(memoryOf(module));
  });
});
