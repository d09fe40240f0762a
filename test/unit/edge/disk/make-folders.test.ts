import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { makeFolders } from "../../../../src/edge/disk/make-folders.ts";
import { replaceFile } from "../../../../src/edge/files/replace.ts";

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "higress-airgap-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it("makes what is missing of a path, says which was the first, and leaves alone what is there", async () => {
  const folder = await aFolder();
  expect(await makeFolders(join(folder, "a/b/c"), 0o700)).toBe(join(folder, "a"));
  expect((await stat(join(folder, "a/b"))).mode & 0o777).toBe(0o700);
  expect(await makeFolders(join(folder, "a/b/d"))).toBe(join(folder, "a/b/d"));
  expect(await makeFolders(join(folder, "a/b"))).toBeUndefined();
  expect(await makeFolders("/")).toBeUndefined();
});

it("lets two make the same path at once", async () => {
  const path = join(await aFolder(), "a/b/c");
  await Promise.all([makeFolders(path), makeFolders(path), makeFolders(path)]);
  expect((await stat(path)).isDirectory()).toBe(true);
});

it("says of a file in the way that nothing can be written there", async () => {
  const folder = await aFolder();
  await writeFile(join(folder, "file"), "");
  const refused = (reason: string) => ({ code: "FILE_UNWRITABLE", facts: { reason } });
  await expect(makeFolders(join(folder, "file"))).rejects.toMatchObject(refused("EEXIST"));
  await expect(makeFolders(join(folder, "file/below"))).rejects.toMatchObject(refused("ENOTDIR"));
});

it("refuses places below /proc, where Node's own way never ends", async () => {
  const wanted = { code: "FILE_UNWRITABLE", facts: { reason: "ENOENT" } };
  await expect(makeFolders("/proc/none/such")).rejects.toMatchObject(wanted);
  await expect(replaceFile("/proc/none/such/file", "text")).rejects.toMatchObject(wanted);
});
