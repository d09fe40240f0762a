import { execa } from "execa";
import {
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createFile, replaceFile, replaceFiles, whereToWrite } from "../../../../src/edge/files/replace.ts";
import { runCommand } from "../../../rig/command.ts";

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "higress-airgap-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it("writes what a link names, and leaves the link", async () => {
  const folder = await aFolder();
  await writeFile(join(folder, "real"), "old");
  await symlink("real", join(folder, "link"));
  await replaceFile(join(folder, "link"), "new");
  expect([await readlink(join(folder, "link")), await readFile(join(folder, "real"), "utf8")]).toEqual(["real", "new"]);
  await symlink("nowhere", join(folder, "dangling"));
  await expect(replaceFile(join(folder, "dangling"), "new")).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  expect(await readlink(join(folder, "dangling"))).toBe("nowhere");
});

it("lets two write the same file at once: one of both is there whole, and nothing beside it", async () => {
  const folder = await aFolder();
  const path = join(folder, "report.json");
  // What stands where a partial file would be is somebody else's.
  await writeFile(join(folder, "theirs"), "theirs");
  await symlink("theirs", `${path}.partial`);
  const texts = ["a".repeat(3_000_000), "b".repeat(1_000_000)];
  await Promise.all([...texts, ...texts].map((text) => replaceFile(path, text)));
  expect(texts).toContain(await readFile(path, "utf8"));
  expect(await readFile(join(folder, "theirs"), "utf8")).toBe("theirs");
  expect(await readdir(folder)).toEqual(["report.json", "report.json.partial", "theirs"]);
});

it("takes away what a killed process left beside the file, and nothing of one that writes now, or of others", async () => {
  const folder = await aFolder();
  const path = join(folder, "report.json");
  const long = new Date(Date.now() - 3600_000);
  const kept = ["report.json.0123456.partial", "report.json.partial", "report_json.01234567.partial"];
  for (const name of [...kept, "report.json.01234567.partial"]) {
    await writeFile(join(folder, name), "");
    await utimes(join(folder, name), long, long);
  }
  await symlink("theirs", join(folder, "report.json.abcdef01.partial"));
  await writeFile(join(folder, "report.json.89abcdef.partial"), "being written");
  await replaceFile(path, "new");
  const left = [...kept, "report.json", "report.json.89abcdef.partial", "report.json.abcdef01.partial"];
  expect(await readdir(folder)).toEqual(left.toSorted());
});

it("makes a file whole or not at all: an empty one would stand in the way of the next try", async () => {
  const path = join(await aFolder(), "claim");
  // A text that is being written when it fails, as on a disk that is full.
  const full = (function* () {
    yield "{";
    throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write" });
  })();
  await expect(createFile(path, full as unknown as string)).rejects.toMatchObject({ code: "ENOSPC" });
  await createFile(path, "whole", { mode: 0o600 });
  await expect(createFile(path, "again")).rejects.toMatchObject({ code: "EEXIST" });
  expect([await readFile(path, "utf8"), (await stat(path)).mode & 0o777]).toEqual(["whole", 0o600]);
});

it("replaces several files or none, and leaves no folder that it made for them", async () => {
  const folder = await aFolder();
  await writeFile(join(folder, "first"), "old");
  await mkdir(join(folder, "last"));
  const [first, second, last] = ["first", "new/below/second", "last"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const files = [first, second, last].map((path) => ({ path, content: "new" }));
  await expect(replaceFiles(files)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", facts: { path: last } });
  expect([await readFile(first, "utf8"), await readdir(folder)]).toEqual(["old", ["first", "last"]]);
  await rm(last, { recursive: true });
  await replaceFiles(files);
  expect(await Promise.all([first, second, last].map((path) => readFile(path, "utf8")))).toEqual(Array(3).fill("new"));
  expect(await readdir(folder)).toEqual(["first", "last", "new"]);
});

it("writes into a pipe, and never replaces it", async () => {
  const folder = await aFolder();
  const pipe = join(folder, "pipe");
  await execa("sh", ["-c", `mkfifo "$0"`, pipe]);
  const read = readFile(pipe, "utf8");
  await replaceFile(pipe, "through");
  expect([await read, (await lstat(pipe)).isFIFO()]).toEqual(["through", true]);
});

it("refuses a pipe that nobody reads", async () => {
  const pipe = join(await aFolder(), "pipe");
  await execa("sh", ["-c", `mkfifo "$0"`, pipe]);
  await expect(replaceFile(pipe, "lost")).rejects.toMatchObject({ code: "FILE_KIND", facts: { path: pipe } });
});

it("takes below /dev and /proc only what a shell has opened for a stream: /dev/shm holds files", async () => {
  for (const path of ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/1", "/proc/1/task/1/fd/1", "/dev/null"])
    expect(await whereToWrite(path)).toBe("stream");
  for (const path of ["/dev/shm/higress-airgap-site.yaml", "/dev/higress-airgap-none", "/proc/higress-airgap-none"])
    expect(await whereToWrite(path)).toBe(path);
});

it("writes through what the shell has opened, also where that is a file", async () => {
  const folder = await aFolder();
  const path = join(folder, "redirected");
  await using opened = await open(path, "a");
  await replaceFile(`/proc/self/fd/${String(opened.fd)}`, "through");
  expect(await readFile(path, "utf8")).toBe("through");
  // Replaced, it would be another file, and what the shell's own writes become would be lost.
  expect((await stat(path)).ino).toBe((await opened.stat()).ino);
});

it("neither waits for a pipe that init is to write, nor leaves one behind as a file", async () => {
  const folder = await aFolder();
  await execa("sh", ["-c", `mkfifo "$0"`, join(folder, "bundle.yaml")]);
  const read = readFile(join(folder, "bundle.yaml"), "utf8");
  await runCommand(["init", "--release-version", "2.2.4"], { cwd: folder });
  expect(await read).toContain("kind: BundleSpec");
});

it.each(["verify", "render"])("refuses to install without %s only where that can be left out", async (phase) => {
  const words = ["install", "x.tar", "--site", "missing.yaml", "--skip", phase];
  const wanted =
    phase === "render" ? { code: "USAGE", facts: { wanted: "--skip prove --skip apply" } } : { code: "FILE_MISSING" };
  await expect(runCommand(words, { cwd: await aFolder() })).rejects.toMatchObject(wanted);
  await expect(runCommand(["install", "x.tar", "--skip", "rendr"], {})).rejects.toMatchObject({ code: "USAGE" });
});

it("refuses a device as the base of a report", async () => {
  const words = ["install", "x.tar", "--site", "missing.yaml", "--report", "/dev/null"];
  await expect(runCommand(words, { cwd: await aFolder() })).rejects.toMatchObject({ code: "USAGE" });
  expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
});
