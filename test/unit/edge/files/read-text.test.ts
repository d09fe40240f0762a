import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readText } from "../../../../src/edge/files/read-text.ts";
import { aTempDirectory } from "../../../rig/temp-directory.ts";

describe("readText", () => {
  it("gives a file of any size up to the limit, without its byte order mark", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "a");
    for (const text of ["", "中文\n", "x".repeat(200_000)]) {
      await writeFile(path, `\uFEFF${text}`);
      expect(await readText(path, 200_003)).toBe(text);
    }
  });

  it.each([
    ["is not there", () => Promise.resolve(), "FILE_MISSING", {}],
    ["is a folder", (path: string) => mkdir(path), "FILE_UNREADABLE", { reason: "EISDIR" }],
    ["is too large", (path: string) => writeFile(path, "x".repeat(11)), "FILE_UNREADABLE", { reason: "> 10 B" }],
    ["is no UTF-8", (path: string) => writeFile(path, Buffer.from([0xff])), "FILE_UNREADABLE", { reason: "UTF-8" }],
  ])("says that a file %s", async (_what, make, code, facts) => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "a");
    await make(path);
    await expect(readText(path, 10)).rejects.toMatchObject({ code, facts: { path, ...facts } });
  });

  it("does not wait for the end of a device that has none", async () => {
    await expect(readText("/dev/zero", 1_000_000)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});
