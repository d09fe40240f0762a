import { execa } from "execa";
import { build } from "esbuild";
import { join } from "node:path";
import { expect, it } from "vitest";
import { manyFiles } from "../../scripts/bundle/options.mjs";
import { aMemoryRegistry } from "../rig/memory-registry.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

/** Asks so often that V8 takes the parser of answers for worth its effort. */
const questions = `
import { cachedDataVersionTag } from "node:v8";
import { UndiciTransport } from "./src/edge/registry/undici-transport.ts";
const before = cachedDataVersionTag();
const options = { ca: [], insecure: false, env: {}, connections: 8, stallSeconds: 60 };
const transport = new UndiciTransport(options);
let left = 4000;
const ask = async () => {
  for (; left > 0; left -= 1) {
    const response = await transport.send({ method: "HEAD", url: new URL(process.argv[2]), headers: {} });
    await response.body.drain();
  }
};
await Promise.all(Array.from({ length: 8 }, ask));
await transport.close();
console.log(before === cachedDataVersionTag() ? "flags as they were" : "flags changed");
`;

it("asks a registry thousands of things without V8 optimizing the parser of the answers, and leaves V8's flags as they were", async () => {
  await using folder = await aTempDirectory();
  await using server = await aMemoryRegistry();
  const stdin = { contents: questions, resolveDir: process.cwd(), loader: "ts" } as const;
  await build({ ...(await manyFiles()), stdin, outdir: folder.path, entryNames: "questions" });
  const args = ["--trace-wasm-compilation-times", join(folder.path, "questions.mjs"), `${server.url}/v2/`];
  const { stdout } = await execa(process.execPath, args, { env: { NODE_OPTIONS: "" } });
  const lines = stdout.split("\n");
  expect(lines.filter((line) => line.includes("using Liftoff"))).not.toEqual([]);
  expect(lines.filter((line) => line.includes("using TurboFan"))).toEqual([]);
  expect(lines.at(-1)).toBe("flags as they were");
});
