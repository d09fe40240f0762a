import { execa } from "execa";
import { copyFile, mkdir, readFile, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claim, isAbandoned } from "../../../../src/edge/disk/claim.ts";
import { openSource } from "../../../../src/edge/disk/open-source.ts";
import { aBundleFile } from "../../../rig/bundle-file.ts";
import { aTempDirectory } from "../../../rig/temp-directory.ts";

type Fields = Readonly<Record<string, string | number>>;

/** A claim of ours whose text or last sign of life is another. */
async function aClaim(folder: string, change: Fields | string, secondsSilent = 0): Promise<string> {
  const path = join(folder, "x.claim");
  const held = await claim(path);
  const own = JSON.parse(await readFile(path, "utf8")) as Fields;
  await held.release();
  await writeFile(path, typeof change === "string" ? change : JSON.stringify({ ...own, ...change }));
  const at = new Date(Date.now() - secondsSilent * 1000);
  await utimes(path, at, at);
  return path;
}

describe("a claim", () => {
  it("is one process's, until it is released, and leaves nothing", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "x.claim");
    const held = await claim(path);
    await expect(claim(path)).rejects.toMatchObject({ code: "FILE_BUSY", facts: { path } });
    await held.release();
    await (await claim(path)).release();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("keeps also those away who only read what is being written, in one file or in volumes", async () => {
    await using folder = await aTempDirectory();
    const path = await aBundleFile(folder.path);
    for (const name of [`${path}.partial`, `${path}.001.partial`]) await copyFile(path, name);
    const claimed = await claim(`${path}.partial.claim`);
    for (const name of [`${path}.partial`, `${path}.001.partial`])
      await expect(openSource(name)).rejects.toMatchObject({ code: "FILE_BUSY" });
    await (await openSource(path))[Symbol.asyncDispose]();
    await claimed.release();
    await (await openSource(`${path}.partial`))[Symbol.asyncDispose]();
  });

  it.each<[string, Fields | string, number]>([
    ["of a process that is gone", { pid: 2 ** 22 + 1 }, 0],
    ["whose process id somebody else has now", { started: "1" }, 0],
    ["of a boot before, silent for a minute", { boot: "another" }, 60],
    ["of another container, silent for a minute", { namespace: "pid:[1]" }, 60],
    ["that was cut off, a minute ago", '{"pid": 1', 60],
  ])("is taken over from one %s", async (_of, change, silent) => {
    await using folder = await aTempDirectory();
    const path = await aClaim(folder.path, change, silent);
    await (await claim(path)).release();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it.each<[string, Fields | string]>([
    ["of another host that still says that it lives", { boot: "another" }],
    ["of another container that still says that it lives", { namespace: "pid:[1]" }],
    ["that is being written", ""],
  ])("is not taken from one %s", async (_of, change) => {
    await using folder = await aTempDirectory();
    const path = await aClaim(folder.path, change);
    await expect(claim(path)).rejects.toMatchObject({ code: "FILE_BUSY" });
  });

  it("is not taken from one that lives here, however long it has been silent", async () => {
    await using folder = await aTempDirectory();
    const path = await aClaim(folder.path, {}, 3600);
    await expect(claim(path)).rejects.toMatchObject({ code: "FILE_BUSY" });
  });

  it("goes to one of many who find it left behind", async () => {
    await using folder = await aTempDirectory();
    const path = await aClaim(folder.path, { pid: 2 ** 22 + 1 });
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => claim(path)));
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await readdir(folder.path)).toEqual(["x.claim"]);
  });
});

describe("what is no claim", () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ["a link to nothing", (path) => symlink("nowhere", path)],
    ["a pipe", async (path) => execa("sh", ["-c", `mkfifo "$0"`, path])],
    ["a folder", (path) => mkdir(path)],
    ["a file without an end to wait for", (path) => writeFile(path, "x".repeat(10_000))],
  ])("is not waited for and not taken away: %s", async (_what, make) => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "x.claim");
    await make(path);
    await expect(claim(path)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", facts: { path, reason: "EEXIST" } });
    expect(await isAbandoned(path)).toBe(false);
    expect(await readdir(folder.path)).toEqual(["x.claim"]);
  });
});
