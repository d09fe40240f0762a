import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { manyFiles } from "../../../scripts/bundle/options.mjs";
import { aTempDirectory, type TempDirectory } from "../../rig/temp-directory.ts";

interface Facts {
  readonly findings: number;
  readonly resumed: number;
  readonly size: number;
  /** KiB. */
  readonly maxRSS: number;
}

let directory: TempDirectory;
let program: string;

// Packed as the program is: the hashing workers must start from there.
beforeAll(async () => {
  directory = await aTempDirectory();
  program = join(directory.path, "child.mjs");
  const entryPoints = { child: "test/rig/bundle-child.ts" };
  await build({ ...(await manyFiles()), entryPoints, outdir: directory.path });
});
afterAll(() => directory[Symbol.asyncDispose]());

/**
 * Runs it to its end, or until it has said so many lines: it says no more, and is killed with no chance to tidy up, but once
 * its journal remembers so many bytes. How long a disk takes for a sync is nothing that a test knows.
 */
async function run(
  [path = "", mebibytes = "", volumes = "0"]: readonly string[],
  killAfter = Infinity,
  remembered = 0,
): Promise<Facts | undefined> {
  const args = [program, path, mebibytes, volumes, String(killAfter)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: {} });
  let last = "";
  let lines = 0;
  for await (const line of createInterface(child.stdout)) {
    last = line;
    lines += 1;
    if (lines !== killAfter) continue;
    await vi.waitUntil(async () => (await inJournalOf(path)) >= remembered, { timeout: 60_000, interval: 20 });
    child.kill("SIGKILL");
  }
  return last.startsWith("{") ? (JSON.parse(last) as Facts) : undefined;
}

/** Of each of the six large ones. */
const fileBytes = 48 * 1024 ** 2;

async function inJournalOf(path: string): Promise<number> {
  const text = await readFile(`${path}.partial.journal`, "utf8").catch(() => "");
  const bytes = new Map<string, number>();
  for (const line of text.split("\n").slice(1, -1)) {
    const said = JSON.parse(line) as { readonly entry: string; readonly bytes: number; readonly complete?: true };
    bytes.set(said.entry, said.complete === true ? fileBytes : said.bytes);
  }
  return [...bytes.values()].reduce((sum, each) => sum + each, 0);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

describe("a build that is killed", () => {
  it("goes on when the same command is given again, and ends with the same bytes", async () => {
    const whole = join(directory.path, "whole.tar");
    expect((await run([whole, "48"]))?.findings).toBe(0);
    const path = join(directory.path, "killed.tar");
    // The disk is told to sync after 64 MiB.
    for (const [lines, remembered] of [
      [3, 0],
      [60, 0],
      [150, fileBytes + 1],
    ] as const) {
      expect(await run([path, "48"], lines, remembered)).toBeUndefined();
      expect(await readdir(directory.path)).not.toContain("killed.tar");
    }
    const last = await run([path, "48"]);
    expect(last?.findings).toBe(0);
    expect(last?.resumed).toBeGreaterThan(fileBytes);
    expect(await sha256Of(path)).toBe(await sha256Of(whole));
    expect((await readdir(directory.path)).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("into volumes, too", async () => {
    const path = join(directory.path, "volumes.tar");
    expect(await run([path, "16", "20"], 40)).toBeUndefined();
    expect(await run([path, "16", "20"])).toMatchObject({ findings: 0 });
  });
});

describe("memory", () => {
  it("stays flat: four times the bytes take no more of it", async () => {
    const small = await run([join(directory.path, "small.tar"), "16"]);
    const large = await run([join(directory.path, "large.tar"), "64"]);
    expect(large?.size).toBeGreaterThan(3.9 * (small?.size ?? Infinity));
    expect(large?.maxRSS).toBeLessThan(1.15 * (small?.maxRSS ?? 0));
    expect(large?.maxRSS).toBeLessThan(200 * 1024);
  });
});
