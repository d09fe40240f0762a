import { resolve } from "node:path";
import { expect, it } from "vitest";
import { parseReference } from "../../src/model/reference.ts";

const root = resolve(import.meta.dirname, "../..");

/** The file that it was thrown in. */
function thrownIn(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const frames = (error as Error).stack?.split("\n").filter((line) => line.startsWith("    at ")) ?? [];
    return frames[0] ?? "";
  }
  throw new Error("it threw nothing");
}

it("runs what is packed", () => {
  expect(thrownIn(() => parseReference(""))).toMatch(/\/\.cache\/packed-\d+\/.*\.mjs:/);
});

it("runs nothing of src/ as it is written, whatever way it is asked for", async () => {
  const path = resolve(root, "src/model/reference.ts");
  await expect(import(/* @vite-ignore */ path)).rejects.toThrow("is not packed");
});
