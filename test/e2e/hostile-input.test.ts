import { execa } from "execa";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, readFile, readlink, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleOutput } from "../../src/edge/disk/bundle-output.ts";
import { pack } from "../../src/stages/bundle/pack.ts";
import { canonicalJson, type Json } from "../../src/std/canonical-json.ts";
import { aPackInput } from "../rig/bundle-input.ts";
import { aBundleFile } from "../rig/bundle-file.ts";
import { cli, program } from "../rig/cli.ts";
import { writeSampleSpec } from "../rig/sample-site.ts";
import { editJson, tamperedFile } from "../rig/tampered-bundle.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const rig = { folder: "", bundle: "" };
beforeAll(async () => {
  const folder = await aTempDirectory();
  rig.folder = folder.path;
  rig.bundle = await aBundleFile(folder.path);
  return () => folder[Symbol.asyncDispose]();
});

describe("input that nobody writes by mistake", () => {
  it("a FIFO in the place of a bundle is refused at once: nobody may ever write into it", async () => {
    const fifo = join(rig.folder, "fifo.tar");
    await execa("sh", ["-c", `mkfifo "$0"`, fifo]);
    const { exitCode, stderr } = await cli(["verify", fifo], { cwd: rig.folder, signal: AbortSignal.timeout(180_000) });
    expect(stderr).toMatch(/pipe or a device.*\[FILE_KIND\]/);
    expect(exitCode).toBe(1);
  });

  it("a second Ctrl-C ends what waits in a thread that no signal reaches: a pipe that is full, a server that hangs", async () => {
    const pipe = join(rig.folder, "full.html");
    await execa("sh", ["-c", `mkfifo "$0"`, pipe]);
    await using held = await open(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const isFull = (): Promise<boolean> =>
      held.write(Buffer.alloc(4096)).then(
        () => false,
        () => true,
      );
    while (!(await isFull()));
    const running = execa(program[0], [...program.slice(1), "inspect", rig.bundle, "--html", pipe], { reject: false });
    const fds = `/proc/${String(running.pid)}/fd`;
    const isOpen = async (fd: string): Promise<boolean> => (await readlink(join(fds, fd)).catch(() => "")) === pipe;
    // From then on it only waits.
    while (!(await Promise.all((await readdir(fds)).map(isOpen))).includes(true)) await delay(20);
    const signals = setInterval(() => running.kill("SIGINT"), 300);
    const { signal } = await running.finally(() => clearInterval(signals));
    expect(signal).toBe("SIGINT");
  });

  it.each([["inspect", "--json"], ["--version"], ["help"]])(
    "an output that is full is a failure with its name: %s %s",
    async (...args) => {
      const shell = `exec "$@" > /dev/full`;
      const words = ["sh", ...program, ...args, ...(args[0] === "inspect" ? [rig.bundle] : [])];
      const { exitCode, stderr } = await execa("sh", ["-c", shell, ...words], { reject: false });
      expect(stderr).toMatch(/ENOSPC.*\[OUTPUT_LOST\]/);
      expect(stderr).not.toContain("--out");
      expect(exitCode).toBe(1);
    },
  );

  it("a device in the place of the file that is to be made is neither written to nor replaced", async () => {
    const bytes = await readFile(rig.bundle);
    bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 3 * 512) ^ 1, bytes.byteLength - 3 * 512);
    await writeFile(join(rig.folder, "damaged.tar"), bytes);
    const args = ["repair", "damaged.tar", "--from", rig.bundle, "--out", "/dev/full", "--overwrite"];
    const { exitCode, stderr } = await cli(args, { cwd: rig.folder });
    expect(stderr).toMatch(/"\/dev\/full" is a pipe or a device.*\[FILE_KIND\]/);
    expect(exitCode).toBe(1);
    expect((await stat("/dev/full")).isCharacterDevice()).toBe(true);
  });

  it("a report into a full device is a failure, and the device is still one", async () => {
    for (const option of [
      ["verify", rig.bundle, "--report"],
      ["inspect", rig.bundle, "--html"],
      ["inspect", rig.bundle, "--sbom"],
    ]) {
      const { exitCode, stderr } = await cli([...option, "/dev/full"], { cwd: rig.folder });
      expect(stderr).toMatch(/"\/dev\/full".*ENOSPC.*\[FILE_UNWRITABLE\]/);
      expect(exitCode).toBe(1);
      expect((await stat("/dev/full")).isCharacterDevice()).toBe(true);
    }
  });

  it("a limit of open files is named, whatever was to be opened", async () => {
    const bytes = await readFile(rig.bundle);
    const size = Math.ceil(bytes.byteLength / 200);
    for (let at = 0; at * size < bytes.byteLength; at += 1) {
      const name = `many.tar.${String(at + 1).padStart(3, "0")}`;
      await writeFile(join(rig.folder, name), bytes.subarray(at * size, (at + 1) * size));
    }
    const few = async (limit: number) =>
      execa("sh", ["-c", `ulimit -n ${limit} && exec "$@"`, "sh", ...program, "verify", "many.tar.001"], {
        cwd: rig.folder,
        reject: false,
      });
    const { exitCode, stderr } = await few(100);
    expect(stderr).toMatch(/EMFILE.*\[OPEN_FILES\]\n.*ulimit -n 4096/);
    expect(stderr).not.toMatch(/BUG|\n +at /);
    expect(exitCode).toBe(1);
    expect((await few(400)).stderr).toContain("15 entries");
  });

  it.each(["::1:5000", "harbor.branch.example:99999", "https://harbor.branch.example", "..", "a..b"])(
    "a registry host %s is refused with its line",
    async (host) => {
      const site = { apiVersion: "higress-airgap/v1", kind: "Site", registry: { host, project: "p" } };
      await writeFile(join(rig.folder, "site.yaml"), JSON.stringify(site));
      const { exitCode, stderr } = await cli(["preflight", rig.bundle, "--site", "site.yaml"], { cwd: rig.folder });
      expect(stderr).toMatch(/registry\.host - expected host or host:port/);
      expect(exitCode).toBe(2);
    },
  );

  it("a list of thirty million values is counted, not read", async () => {
    const bytes = Buffer.from(`{"items":[${"0,".repeat(30_000_000)}0]}`);
    const bundle = await tamperedFile(rig.bundle, { "bundle.json": bytes });
    const limited = { NODE_OPTIONS: "--max-old-space-size=300" };
    const { exitCode, stderr } = await cli(["verify", bundle], { cwd: rig.folder, env: limited });
    expect(stderr).toMatch(/bundle\.json: > 2000000 values \[BUNDLE_MALFORMED\]/);
    expect(exitCode).toBe(1);
  });

  it("marks that turn or hide text reach no reader, as JSON neither", async () => {
    const marked = editJson((document) => {
      (document["items"] as { role: string }[])[0]!.role = "a\u061cb\u200bc\u200fd\u2028e\ufefff\u202eg";
    });
    const bundle = await tamperedFile(rig.bundle, { "bundle.json": marked });
    const { stdout } = await cli(["inspect", bundle, "--json"], { cwd: rig.folder });
    expect(stdout).toContain('"abcdefg"');
  });

  it("a name that no file system takes is a failure with its reason", async () => {
    for (const command of ["verify", "inspect"]) {
      const { exitCode, stderr } = await cli([command, "a".repeat(300)], { cwd: rig.folder });
      expect(stderr).toMatch(/ENAMETOOLONG.*\[FILE_UNREADABLE\]/);
      expect(exitCode).toBe(1);
    }
  });

  it("a volumes' document of another bundle, or with another sum, is not believed", async () => {
    await pack(aPackInput(), bundleOutput(join(rig.folder, "v.tar"), { volumeSize: 3000 }));
    const path = join(rig.folder, "v.volumes.json");
    const { sum, ...sound } = JSON.parse(await readFile(path, "utf8")) as Record<string, Json>;
    const sumOf = (value: Json): string => createHash("sha256").update(canonicalJson(value)).digest("hex");
    expect(sum).toBe(sumOf(sound));
    for (const command of ["verify", "inspect"]) {
      const { stderr } = await cli([command, "v.tar"], { cwd: rig.folder });
      expect(stderr).not.toContain("VOLUME_UNUSABLE");
    }
    const foreign = { ...sound, bundle: "a".repeat(64) };
    await writeFile(path, canonicalJson({ ...foreign, sum: sumOf(foreign) }));
    for (const command of ["verify", "inspect", "serve"]) {
      const { exitCode, stderr } = await cli([command, "v.tar.002"], { cwd: rig.folder });
      expect(stderr).toMatch(/"v\.volumes\.json".*bundle: expected [0-9a-f]{64}, not a{64} \[VOLUME_UNUSABLE\]/);
      expect(exitCode).toBe(1);
    }
    await writeFile(path, canonicalJson({ ...foreign, sum: sumOf(sound) }));
    const zh = await cli(["verify", "v.tar", "--lang", "zh"], { cwd: rig.folder });
    expect(zh.stderr).toMatch(/sum：应为该文档的校验和.*\[VOLUME_UNUSABLE\]/);
  });

  it.each(["site.yaml", "bundle.yaml", "lock.json", "request.json", "inventory.json"])(
    "nine thousand maps in each other are refused in %s",
    async (file) => {
      const nested = `${'{"a":'.repeat(9000)}1${"}".repeat(9000)}`;
      await writeSampleSpec(rig.folder, "http://127.0.0.1:9").then((path) =>
        rename(path, join(rig.folder, "sound.yaml")),
      );
      const commands: Record<string, readonly string[]> = {
        "site.yaml": ["preflight", rig.bundle, "--site", file],
        "bundle.yaml": ["build", file, "--out", "made.tar"],
        "request.json": ["build", "sound.yaml", "--out", "made.tar", "--lock", "sound.lock.json", "--only", file],
        "lock.json": ["build", "sound.yaml", "--out", "made.tar", "--lock", file],
        "inventory.json": ["build", "sound.yaml", "--out", "made.tar", "--since", file],
      };
      await writeFile(join(rig.folder, "sound.lock.json"), JSON.stringify(aPackInput().lock));
      await writeFile(join(rig.folder, file), `{"values":${nested}}`);
      const { exitCode, stderr } = await cli(commands[file] ?? [], { cwd: rig.folder });
      expect(stderr).toMatch(new RegExp(`${file}" cannot be used.*\\[CONFIG_INVALID\\]`, "s"));
      expect(exitCode).toBe(2);
    },
  );

  it("half of a surrogate pair is no text", async () => {
    const halved = editJson((document) => {
      (document["items"] as { role: string }[])[0]!.role = "\ud800";
    });
    const bundle = await tamperedFile(rig.bundle, { "bundle.json": halved });
    const { stderr } = await cli(["verify", bundle], { cwd: rig.folder });
    expect(stderr).toMatch(/items\.0\.role: expected text of at most 200 characters \[BUNDLE_MALFORMED\]/);
  });
});
