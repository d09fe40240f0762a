import { createHash } from "node:crypto";
import { chmod, copyFile, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bundleOutput } from "../../../src/edge/disk/bundle-output.ts";
import { hashRanges } from "../../../src/edge/disk/hash-ranges.ts";
import { openSource } from "../../../src/edge/disk/open-source.ts";
import { inspectVolumes } from "../../../src/edge/disk/volumes.ts";
import { openBundle } from "../../../src/stages/bundle/open.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import type { PackInput } from "../../../src/stages/bundle/ports.ts";
import { verifyBundle, type VerifyResult } from "../../../src/stages/verify/verify.ts";
import { itemsIn } from "../../../src/stages/verify/items-in.ts";
import { aPackInput, someItems } from "../../rig/bundle-input.ts";
import { aLargeFile, someBytes } from "../../rig/bundle-large.ts";
import { anImage } from "../../rig/graph.ts";
import { aTempDirectory, type TempDirectory } from "../../rig/temp-directory.ts";

const MiB = 1024 ** 2;
const volumeSize = 9 * MiB;
const input = (): PackInput => aPackInput({ largeFiles: [aLargeFile("bin/kubectl-linux-amd64", 20 * MiB + 77)] });

interface Volumes extends TempDirectory {
  readonly base: string;
  at(volume: number): string;
}

async function someVolumes(inOrder = false): Promise<Volumes> {
  const directory = await aTempDirectory();
  const base = join(directory.path, "higress.tar");
  await pack(input(), bundleOutput(base, { volumeSize, inOrder }));
  return { ...directory, base, at: (volume) => `${base}.${String(volume).padStart(3, "0")}` };
}

async function verified(path: string): Promise<VerifyResult> {
  const source = await openSource(path);
  await using bundle = await openBundle(source);
  return await verifyBundle(bundle, { hashRanges: (ranges) => hashRanges(source, ranges), blocks: source.blocks }, {});
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function flip(path: string, at: number): Promise<void> {
  const handle = await open(path, "r+");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
  buffer[0] = (buffer[0] ?? 0) ^ 1;
  await handle.write(buffer, 0, 1, at);
  await handle.close();
}

describe("volumes", () => {
  it.each([
    ["in any order", false],
    ["from front to back", true],
  ])("written %s are the bytes of the one file, and their sums are true", async (_how, inOrder) => {
    await using volumes = await someVolumes(inOrder);
    const single = join(volumes.path, "single.tar");
    await pack(input(), bundleOutput(single));
    const names = (await readdir(volumes.path)).filter((name) => /\.\d{3}$/.test(name)).sort();
    const parts = await Promise.all(names.map((name) => readFile(join(volumes.path, name))));
    expect(Buffer.concat(parts).equals(await readFile(single))).toBe(true);
    const document = JSON.parse(await readFile(join(volumes.path, "higress.volumes.json"), "utf8")) as {
      volumes: { name: string; size: number; sha256: string; blocks: string[] }[];
    };
    expect(document.volumes.map(({ name, sha256: sum }) => [name, sum])).toEqual(
      names.map((name, index) => [name, sha256(parts[index] ?? Buffer.alloc(0))]),
    );
    expect(document.volumes[0]?.blocks).toEqual(
      [0, 4, 8].map((at) => sha256((parts[0] ?? Buffer.alloc(0)).subarray(at * MiB, (at + 4) * MiB))),
    );
  });

  it("go from the first byte to the last where the file system keeps no holes, whatever comes first", async () => {
    await using directory = await aTempDirectory();
    const output = bundleOutput(join(directory.path, "higress.tar"), { volumeSize, inOrder: true });
    let end = 0;
    const watched = {
      ...output,
      async create(size: number, plan: string) {
        const writer = await output.create(size, plan);
        const write = writer.write.bind(writer);
        writer.write = (offset, chunks) => {
          expect(offset).toBe(end);
          end += chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
          return write(offset, chunks);
        };
        return writer;
      },
    };
    let turn = 0;
    const late = async function* (_: unknown, bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
      await delay(40 - 5 * Math.min(8, (turn += 1)));
      yield bytes.subarray(offset);
    };
    await pack({ ...input(), ...aPackInput({ open: late, host: ({ digest }) => digest }) }, watched);
    expect(end).toBeGreaterThan(0);
  });

  it("are opened by any of their names", async () => {
    await using volumes = await someVolumes();
    for (const name of ["higress.tar", "higress", "higress.volumes.json", "higress.tar.001", "higress.tar.003"])
      expect((await verified(join(volumes.path, name))).findings).toEqual([]);
  });

  it("are opened without their document too", async () => {
    await using volumes = await someVolumes();
    await rm(join(volumes.path, "higress.volumes.json"));
    expect((await verified(volumes.at(1))).findings).toEqual([]);
  });

  it("are never changed: neither bytes nor times, nor is a file made beside them", async () => {
    await using volumes = await someVolumes();
    const names = (await readdir(volumes.path)).sort();
    const look = async (): Promise<unknown> =>
      Promise.all(names.map(async (name) => [name, (await stat(join(volumes.path, name))).mtimeMs]));
    const before = await look();
    for (const name of names) await chmod(join(volumes.path, name), 0o444);
    await chmod(volumes.path, 0o555);
    await inspectVolumes(volumes.base);
    await verified(volumes.base);
    await chmod(volumes.path, 0o755);
    expect((await readdir(volumes.path)).sort()).toEqual(names);
    expect(await look()).toEqual(before);
  });

  it("that are damaged are named, with the place and the items", async () => {
    await using volumes = await someVolumes();
    await flip(volumes.at(2), 5 * MiB);
    const { findings } = await verified(volumes.base);
    expect(findings).toEqual([
      expect.objectContaining({ code: "bundle.file-damaged" }),
      {
        code: "bundle.volume-damaged",
        severity: "error",
        facts: { volume: "higress.tar.002", from: 4 * MiB, to: 8 * MiB, items: "" },
      },
    ]);
  });

  it("that are missing, cut, or of another build are all named at once", async () => {
    await using volumes = await someVolumes();
    await using other = await aTempDirectory();
    const foreign = join(other.path, "higress.tar");
    const largeFiles = [aLargeFile("bin/kubectl-linux-arm64", 20 * MiB + 77)];
    await pack(aPackInput({ largeFiles }), bundleOutput(foreign, { volumeSize }));
    await rm(volumes.at(3));
    await copyFile(`${foreign}.002`, volumes.at(2));
    await truncate(volumes.at(1), 1000);
    await copyFile(`${foreign}.003`, volumes.at(4));
    const findings = await inspectVolumes(volumes.base);
    expect(findings.map(({ code, facts }) => [code, "volume" in facts && facts.volume])).toEqual([
      ["bundle.volume-size", "higress.tar.001"],
      ["bundle.volume-foreign", "higress.tar.002"],
      ["bundle.volume-missing", "higress.tar.003"],
      ["bundle.volume-foreign", "higress.tar.004"],
    ]);
    await expect(openSource(volumes.base)).rejects.toMatchObject({ code: "VOLUME_UNUSABLE" });
  });

  it("that are missing are reported with the items that they held", async () => {
    await using directory = await aTempDirectory();
    const base = join(directory.path, "a.tar");
    const reference = "registry.example/large:1";
    const layers = [{ "big.bin": someBytes("big", 3 * MiB) }];
    const items = [{ kind: "image" as const, reference, seed: anImage({ layers }) }, ...someItems];
    await pack(aPackInput({ items }), bundleOutput(base, { volumeSize: MiB }));
    await rm(`${base}.002`);
    const facts = { volume: "a.tar.002", items: reference };
    const missing = { code: "bundle.volume-missing", severity: "error", facts };
    expect(await inspectVolumes(base, { itemsIn })).toEqual([missing]);
    await rm(`${base}.001`);
    expect((await inspectVolumes(base, { itemsIn })).map(({ code }) => code)).toHaveLength(2);
  });

  it("that changed places are refused, both of them named", async () => {
    await using volumes = await someVolumes();
    await rename(volumes.at(1), volumes.at(9));
    await rename(volumes.at(2), volumes.at(1));
    await rename(volumes.at(9), volumes.at(2));
    const findings = await inspectVolumes(volumes.base);
    expect(findings.map(({ facts }) => "volume" in facts && facts.volume)).toEqual([
      "higress.tar.001",
      "higress.tar.002",
    ]);
    await expect(verified(volumes.base)).rejects.toMatchObject({ code: "BUNDLE_MALFORMED" });
  });

  it.each([
    ["no JSON", "hello"],
    ["a name with a path in it", JSON.stringify(hostile("../../etc/passwd"))],
    ["a size that is not theirs", JSON.stringify({ ...hostile("a.001"), size: 1 })],
  ])("whose document is %s are refused", async (_what, text) => {
    await using directory = await aTempDirectory();
    await writeFile(join(directory.path, "a.volumes.json"), text);
    await expect(openSource(join(directory.path, "a.tar"))).rejects.toMatchObject({ code: "VOLUME_UNUSABLE" });
  });
});

function hostile(name: string): object {
  return { formatVersion: 1, bundle: "0", size: 5, volumes: [{ name, size: 5, sha256: "0".repeat(64), blocks: [] }] };
}
