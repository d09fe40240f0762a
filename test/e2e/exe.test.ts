import { execa } from "execa";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { barePath } from "../rig/bare-path.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { packSampleChart } from "../rig/charts/pack.ts";
import { loadSegments, sharedPages } from "../rig/elf.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { ticksOfThreads } from "../rig/threads.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const folder = resolve("dist-exe");
const x64 = join(folder, "higress-airgap-linux-amd64");
const arm64 = join(folder, "higress-airgap-linux-arm64");
const qemu = "/usr/bin/qemu-aarch64-static";
const libraries = "/usr/aarch64-linux-gnu";

const notBuilt = existsSync(x64) && existsSync(arm64) ? undefined : "no dist-exe: npm run build:exe";
const notHere = notBuilt ?? (process.arch === "x64" ? dockerRegistryUnavailable() : `this is ${process.arch}`);
const noQemu =
  notBuilt ??
  (existsSync(qemu) && existsSync(join(libraries, "lib/libstdc++.so.6"))
    ? undefined
    : "no qemu-aarch64-static with libraries: scripts/setup-programs.sh");
const because = (why: string | undefined): string => (why === undefined ? "" : ` (not run: ${why})`);

describe.skipIf(notHere !== undefined)(`the executable for amd64${because(notHere)}`, () => {
  const at = { folder: "", bundle: "", path: "" };
  const run = (program: string, args: readonly string[], more: { cwd?: string; env?: Record<string, string> } = {}) =>
    execa(program, args, {
      cwd: more.cwd ?? at.folder,
      env: { PATH: at.path, ...more.env },
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    });

  beforeAll(async () => {
    const directory = await aTempDirectory();
    at.folder = directory.path;
    at.path = await barePath(directory.path);
    at.bundle = await aBuiltBundle({ folder: directory.path, env: { HIGRESS_AIRGAP_EXE_DIR: folder } });
    return () => directory[Symbol.asyncDispose]();
  });

  it("needs no node, says its version, and lets no NODE_OPTIONS of the host in", async () => {
    expect((await run("sh", ["-c", "command -v node"])).exitCode).not.toBe(0);
    // Node says here if V8 does not take the compiled program that the executable carries.
    expect(await run(x64, ["help"])).toMatchObject({ exitCode: 0, stderr: "" });
    const plain = await run(x64, ["--version"]);
    expect(plain).toMatchObject({ exitCode: 0, stderr: "" });
    expect(plain.stdout).toMatch(/^\d+\.\d+\.\d+ \(node 24\.21\.0, linux\/x64\)$/);
    const forced = await run(x64, ["--version"], { env: { NODE_OPTIONS: "--require /nonexistent.js" } });
    expect(forced).toMatchObject({ exitCode: 0, stdout: plain.stdout });
    const full = await run("sh", ["-c", `exec "$0" --version > /dev/full`, x64]);
    expect(full.stderr).toMatch(/ENOSPC.*\[OUTPUT_LOST\]/);
    expect(full.exitCode).toBe(1);
  });

  it("lists, verifies with its workers, and starts plugins in theirs", async () => {
    const listed = await run(x64, ["inspect", at.bundle]);
    expect(listed.stdout).toContain("registry.higress.example/higress/gateway:1.0.0");
    // Large enough (>= 16 MiB with the executables in it) that threads hash it.
    const verified = await run(x64, ["verify", at.bundle]);
    expect(verified.exitCode, verified.stderr).toBe(0);
    const checked = await run(x64, ["plugins", "check", at.bundle]);
    expect(checked.exitCode, checked.stderr).toBe(0);
    expect(checked.stdout).toMatch(/key-auth .*configured/);
  });

  it.skipIf(availableParallelism() < 2)(
    "hashes with several threads at once, though there is no file to start them from",
    async () => {
      const env = { PATH: at.path, NODE_OPTIONS: "--require /nonexistent.js" };
      const running = execa(x64, ["verify", at.bundle], { cwd: at.folder, env, extendEnv: false, stdin: "ignore" });
      const ticks = await ticksOfThreads(running.pid ?? 0, "WorkerThread");
      expect((await running).exitCode).toBe(0);
      expect(ticks.filter((each) => each > 0).length).toBeGreaterThan(1);
    },
  );

  it("carries the data that it ships with", async () => {
    const made = await run(x64, ["init", "--release-version", "2.2.4", "--out", "spec.yaml"]);
    expect(made.exitCode, made.stderr).toBe(0);
    expect(await readFile(join(at.folder, "spec.yaml"), "utf8")).toContain("BundleSpec");
  });

  it("looks for helm beside itself, too, wherever it is started from", async () => {
    const { stderr } = await run(x64, ["relocation", "learn", await packSampleChart(at.folder)]);
    const places = [at.folder + "/bin", folder].map((each) => join(each, "helm-linux-amd64")).join(", ");
    expect(stderr).toContain(`(PATH, ${places}) [TOOL_MISSING]`);
  });

  it("is in the bundle beside its licences, and install.sh starts it where there is no node", async () => {
    const host = join(at.folder, "host");
    await mkdir(host, { recursive: true });
    await run("tar", ["xf", at.bundle, "install.sh", "bin", "SHA256SUMS", "licences"], { cwd: host });
    expect(await readFile(join(host, "licences/node.txt"), "utf8")).toContain("Node.js is licensed");
    expect(await readFile(join(host, "licences/THIRD-PARTY-NOTICES.txt"), "utf8")).toContain("undici");
    const listed = await run("./install.sh", ["inspect", "../bundle.tar"], { cwd: host });
    expect(listed.exitCode, listed.stderr).toBe(0);
    expect(listed.stdout).toContain("registry.higress.example/higress/gateway:1.0.0");
    const program = join(host, "bin/higress-airgap-linux-amd64");
    const bytes = await readFile(program);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(program, bytes);
    const damaged = await run("./install.sh", ["inspect", "../bundle.tar"], { cwd: host });
    expect(damaged.exitCode).toBe(1);
    expect(damaged.stderr).toContain("bin/higress-airgap-linux-amd64 is damaged");
    expect(damaged.stderr).toContain("已损坏");
  });

  it("builds a bundle that carries it, when it is itself what builds", async () => {
    const away = join(at.folder, "away");
    await mkdir(away);
    await cp(x64, join(away, "higress-airgap-linux-amd64"));
    await writeFile(
      join(away, "bundle.yaml"),
      JSON.stringify({ apiVersion: "higress-airgap/v1", kind: "BundleSpec", name: "empty", version: "1.0.0" }),
    );
    const built = await run(join(away, "higress-airgap-linux-amd64"), ["build", "bundle.yaml"], { cwd: away });
    expect(built.exitCode, built.stderr).toBe(0);
    const { stdout } = await run("tar", ["tf", "empty-1.0.0.tar"], { cwd: away });
    expect(stdout.split("\n")).toEqual(
      expect.arrayContaining([
        "bin/higress-airgap-linux-amd64",
        "licences/node.txt",
        "licences/THIRD-PARTY-NOTICES.txt",
      ]),
    );
  });
});

describe.skipIf(noQemu !== undefined)(`the executable for arm64${because(noQemu)}`, () => {
  it.each(["4096", "65536"])("says its version on pages of %s bytes", async (page) => {
    const { stdout, stderr, exitCode } = await execa(qemu, ["-p", page, "-L", libraries, arm64, "--version"], {
      reject: false,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("linux/arm64");
  });
});

describe.skipIf(notBuilt !== undefined)(`the files${because(notBuilt)}`, () => {
  it("keep what is loaded apart by 64 KiB, as kernels on Kunpeng want it", async () => {
    const segments = loadSegments(await readFile(arm64));
    expect(segments.length).toBeGreaterThan(2);
    expect(sharedPages(segments, 65_536)).toEqual([]);
    // What Node 26 makes of itself: the next page of 4 KiB, the same of 64.
    const close = [
      { start: 0x1_0000, end: 0x2_1800 },
      { start: 0x2_2000, end: 0x3_0000 },
    ];
    expect(sharedPages(close, 4096)).toEqual([]);
    expect(sharedPages(close, 65_536)).toEqual(["217ff 22000"]);
  });

  it("are what their sums say", async () => {
    const sums = (await readFile(join(folder, "SHA256SUMS"), "utf8")).trimEnd().split("\n");
    expect(sums).toHaveLength(2);
    for (const line of sums) {
      const [sum, name = ""] = line.split("  ");
      const bytes = await readFile(join(folder, name));
      expect(createHash("sha256").update(bytes).digest("hex"), name).toBe(sum);
    }
  });
});
