import { execa } from "execa";
import { lstat, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bundleOutput, type BundleOutputOptions } from "../../../src/edge/disk/bundle-output.ts";
import type { Event } from "../../../src/model/event.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import { planBundle } from "../../../src/stages/bundle/plan.ts";
import type { PackInput } from "../../../src/stages/bundle/ports.ts";
import { aPackInput } from "../../rig/bundle-input.ts";
import { aLargeFile, type LargeOptions } from "../../rig/bundle-large.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

const MiB = 1024 ** 2;

function input(options: LargeOptions = {}): PackInput {
  const sizes = [3 * MiB + 5, MiB, 700, 2 * MiB - 1];
  return aPackInput({ largeFiles: sizes.map((size, index) => aLargeFile(`bin/tool-${index}`, size, options)) });
}

/** Aborts after so many chunks, as Ctrl-C does. */
async function interrupted(path: string, chunks: number, options: BundleOutputOptions): Promise<boolean> {
  const stop = new AbortController();
  let left = chunks;
  const pause = (): Promise<void> => {
    left -= 1;
    if (left === 0) stop.abort();
    return new Promise((resolve) => setImmediate(resolve));
  };
  const packing = pack(input({ pause }), bundleOutput(path, options), { signal: stop.signal });
  return packing.then(
    () => false,
    () => true,
  );
}

const whole = await (async (): Promise<Buffer> => {
  await using directory = await aTempDirectory();
  await pack(input(), bundleOutput(join(directory.path, "a.tar")));
  return await readFile(join(directory.path, "a.tar"));
})();

async function contentOf(directory: string): Promise<Buffer> {
  const names = (await readdir(directory)).filter((name) => /^a\.tar(\.\d{3})?$/.test(name)).sort();
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(directory, name)))));
}

interface Line {
  readonly entry: string;
  readonly bytes: number;
  readonly complete?: true;
}

describe("an interrupted build", () => {
  it.each<[string, BundleOutputOptions]>([
    ["into one file", {}],
    ["from front to back", { inOrder: true }],
    ["into volumes", { volumeSize: 2 * MiB }],
    ["into volumes from front to back", { volumeSize: 2 * MiB, inOrder: true }],
  ])(
    "%s goes on to the same bytes, however often it is interrupted, and leaves nothing beside",
    async (_into, options) => {
      const property = fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 4 }), async (stops) => {
        await using directory = await aTempDirectory();
        const path = join(directory.path, "a.tar");
        for (const stop of stops) if (!(await interrupted(path, stop, options))) return;
        await pack(input(), bundleOutput(path, options));
        expect((await contentOf(directory.path)).equals(whole)).toBe(true);
        expect((await readdir(directory.path)).filter((name) => name.includes("partial"))).toEqual([]);
      });
      await fc.assert(property, { seed: 17, numRuns: 6 });
    },
  );

  it("fetches nothing again but what was on its way", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    expect(await interrupted(path, 90, {})).toBe(true);
    const opened = new Map<string, number>();
    const events: Event[] = [];
    const onOpen = (name: string, offset: number): void => void opened.set(name, offset);
    const result = await pack(input({ onOpen }), bundleOutput(path), { report: (event) => events.push(event) });
    expect(events).toContainEqual({ type: "note", text: "resumed", facts: { bytes: result.bytesResumed } });
    const moved = events.reduce((sum, event) => sum + (event.type === "moved" ? event.bytes : 0), 0);
    expect(result.bytesResumed).toBeGreaterThan(4 * MiB);
    expect([...opened.values()].some((offset) => offset > 0)).toBe(true);
    const streamed = input().largeFiles.reduce((sum, { size }) => sum + size, 0);
    const blobs = input().blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    expect(moved + result.bytesResumed).toBe(streamed + blobs);
  });

  it("starts over when what survived is of another plan", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    await interrupted(path, 60, {});
    const other = aPackInput({ tool: { name: "higress-airgap", version: "9" } });
    expect((await pack(other, bundleOutput(path))).bytesResumed).toBe(0);
  });

  it("does not believe a journal that is torn, nor one whose file is gone", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    await interrupted(path, 90, {});
    const journal = `${path}.partial.journal`;
    const lines = await readFile(journal, "utf8");
    await writeFile(journal, lines.slice(0, -9));
    await pack(input(), bundleOutput(path));
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  it("finds a prefix that was damaged on the disk, and the next run starts that entry over", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    await interrupted(path, 70, {});
    const lines = (await readFile(`${path}.partial.journal`, "utf8")).split("\n").slice(1, -1);
    const last = new Map(lines.map((line) => JSON.parse(line) as Line).map((line) => [line.entry, line]));
    const partial = [...last.values()].find(({ bytes, complete }) => bytes > 0 && complete === undefined);
    const bytes = await readFile(`${path}.partial`);
    const at = planBundle(input()).entries.find(({ name }) => name === partial?.entry)?.offset ?? 0;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(`${path}.partial`, bytes);
    await expect(pack(input(), bundleOutput(path))).rejects.toMatchObject({ code: "CONTENT_MISMATCH" });
    await pack(input(), bundleOutput(path));
    expect((await readFile(path)).equals(whole)).toBe(true);
  });
});

describe("bundleOutput", () => {
  it("refuses a file that is there, unless told to replace it, and then replaces it only at the end", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    await writeFile(path, "precious");
    await expect(pack(input(), bundleOutput(path))).rejects.toMatchObject({ code: "FILE_EXISTS", facts: { path } });
    expect(await interrupted(path, 30, { overwrite: true })).toBe(true);
    expect(await readFile(path, "utf8")).toBe("precious");
    await pack(input(), bundleOutput(path, { overwrite: true }));
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  it("refuses a directory, with or without overwriting", async () => {
    await using directory = await aTempDirectory();
    const output = bundleOutput(directory.path, { overwrite: true });
    await expect(pack(input(), output)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", facts: { reason: "EISDIR" } });
  });

  it.each([{}, { volumeSize: 2 * MiB }])("writes into nothing that a link beside it names: %j", async (options) => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    const theirs = join(directory.path, "theirs");
    await writeFile(theirs, "theirs");
    const parts = options.volumeSize === undefined ? [path] : [`${path}.001`, join(directory.path, "a.volumes.json")];
    const beside = [...parts.map((part) => `${part}.partial`), `${path}.partial.journal.new`];
    for (const name of [...beside, `${path}.partial.journal`]) await symlink("theirs", name);
    await pack(input(), bundleOutput(path, options));
    expect(await readFile(theirs, "utf8")).toBe("theirs");
    for (const part of parts) expect((await lstat(part)).isFile()).toBe(true);
    expect((await contentOf(directory.path)).equals(whole)).toBe(true);
  });

  it("waits for no pipe, and for the end of no device, in the place of a journal", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    for (const name of ["", ".journal", ".journal.new"])
      await execa("sh", ["-c", `mkfifo "$0"`, `${path}.partial${name}`]);
    await pack(input(), bundleOutput(path));
    await symlink("/dev/zero", `${path}.partial.journal`);
    await pack(input(), bundleOutput(path, { overwrite: true }));
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  it("goes on in no file that a link has taken the place of", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    await interrupted(path, 90, {});
    await rename(`${path}.partial`, join(directory.path, "theirs"));
    await symlink("theirs", `${path}.partial`);
    expect((await pack(input(), bundleOutput(path))).bytesResumed).toBe(0);
    expect((await lstat(path)).isFile()).toBe(true);
  });

  it("refuses what the disk has no room for, before it writes anything", async () => {
    await using directory = await aTempDirectory();
    const huge = { ...aLargeFile("bin/huge", 1), size: 900 * 1024 ** 3 };
    const packing = pack(aPackInput({ largeFiles: [huge] }), bundleOutput(join(directory.path, "a.tar")));
    await expect(packing).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("refuses a directory that is not there", async () => {
    await using directory = await aTempDirectory();
    const output = bundleOutput(join(directory.path, "no", "a.tar"));
    await expect(pack(input(), output)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", facts: { reason: "ENOENT" } });
  });

  it("writes the file once: what it takes on the disk is what it is long", async () => {
    await using directory = await aTempDirectory();
    const path = join(directory.path, "a.tar");
    await pack(input(), bundleOutput(path));
    const { size, blocks } = await stat(path);
    expect(blocks * 512).toBeLessThan(size * 1.01 + 8192);
  });
});
