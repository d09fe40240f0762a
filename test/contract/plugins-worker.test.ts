import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import type { moduleStarter as makeStarter } from "../../src/edge/wasm/starter.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";

/** The worker's program is made of the text of functions; a bundler rewrites that text. */
describe("a bundled starter", () => {
  it.each([
    ["plain", {}],
    ["minified", { minify: true }],
    ["with names kept", { keepNames: true }],
  ])("runs modules when it is %s", async (_name, options) => {
    const { outputFiles } = await build({
      ...options,
      entryPoints: ["src/edge/wasm/starter.ts"],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
    });
    const text = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
    const bundle = (await import(/* @vite-ignore */ `data:text/javascript;base64,${text}`)) as {
      moduleStarter: typeof makeStarter;
    };
    const module = aProxyPlugin(
      {},
      {
        imports: [
          { module: "env", name: "proxy_log", parameters: 3 },
          { module: "wasi_unstable", name: "fd_write", parameters: 4 },
        ],
      },
    );
    const result = await bundle.moduleStarter().start(module, "{}", { timeoutMs: 60_000, memoryMiB: 16 });
    expect(result.error).toBeUndefined();
    expect(result.steps.http).toBe(1);
  });
});
