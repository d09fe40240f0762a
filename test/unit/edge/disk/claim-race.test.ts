import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import type * as claims from "../../../../src/edge/disk/claim.ts";
import * as replace from "../../../../src/edge/files/replace.ts";
import { aTempDirectory } from "../../../rig/temp-directory.ts";

it("does not remove the claim of whoever was faster in taking over the one that was left", async () => {
  await using folder = await aTempDirectory();
  const path = join(folder.path, "x.claim");
  let living = "";
  const createFile: typeof replace.createFile = async (at, ...rest) => {
    // Between our look and our turn the other one has come and gone.
    if (at === `${path}.taking`) await fs.writeFile(path, living);
    return replace.createFile(at, ...rest);
  };
  vi.doMock("../../../../src/edge/files/replace.ts", () => ({ ...replace, createFile }));
  onTestFinished(() => {
    vi.doUnmock("../../../../src/edge/files/replace.ts");
  });
  // The query makes it a module of its own: all tests share the others.
  const own = "../../../../src/edge/disk/claim.ts?race";
  const { claim } = (await import(own)) as typeof claims;

  const held = await claim(path);
  living = await fs.readFile(path, "utf8");
  await held.release();
  await fs.writeFile(path, JSON.stringify({ ...(JSON.parse(living) as object), pid: 2 ** 22 + 1 }));
  await expect(claim(path)).rejects.toMatchObject({ code: "FILE_BUSY", facts: { path } });
  expect(await fs.readFile(path, "utf8")).toBe(living);
});
