import { execa } from "execa";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { otherEnd, readText } from "../../../../src/edge/files/read-text.ts";
import { aTempDirectory } from "../../../rig/temp-directory.ts";

/** 网关 as Notepad's "ANSI" saves it on a Chinese Windows. */
const gbk = Buffer.from([0xcd, 0xf8, 0xb9, 0xd8]);

describe("readText", () => {
  it("reads UTF-16 with its mark in both orders, as Notepad and PowerShell save it", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "a");
    const little = Buffer.from("\uFEFFname: 网关\r\n", "utf16le");
    for (const bytes of [little, Buffer.from(little).swap16()]) {
      await writeFile(path, bytes);
      expect(await readText(path, 100)).toBe("name: 网关\r\n");
    }
  });

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
    ["is GBK", (path: string) => writeFile(path, gbk), "FILE_ENCODING", { encoding: "GB18030" }],
    [
      "is UTF-16 without a mark",
      (path: string) => writeFile(path, Buffer.from("a: b", "utf16le")),
      "FILE_ENCODING",
      { encoding: "UTF-16LE" },
    ],
    [
      "is cut UTF-16",
      (path: string) => writeFile(path, Buffer.from([0xff, 0xfe, 0x41])),
      "FILE_ENCODING",
      { encoding: "UTF-16LE" },
    ],
    [
      "is no text",
      (path: string) => writeFile(path, Buffer.from([0xff, 0x80])),
      "FILE_ENCODING",
      { encoding: "8-bit" },
    ],
  ])("says that a file %s", async (_what, make, code, facts) => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "a");
    await make(path);
    await expect(readText(path, 10)).rejects.toMatchObject({ code, facts: { path, ...facts } });
  });

  it("reads a pipe while somebody writes into it, who may come later and take his time", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "pipe");
    await execa("sh", ["-c", `mkfifo "$0"`, path]);
    const reading = readText(path, 100);
    const pause = () => delay(3 * otherEnd.look);
    await pause();
    await using writer = await open(path, "w");
    for (const line of ["a\n", "b\n"]) {
      await pause();
      await writer.write(line);
    }
    await writer.close();
    expect(await reading).toBe("a\nb\n");
  });

  it("refuses a pipe that nobody writes into: opening it would wait in a thread that no signal ends", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "pipe");
    await execa("sh", ["-c", `mkfifo "$0"`, path]);
    await expect(readText(path, 100)).rejects.toMatchObject({ code: "FILE_KIND", facts: { path } });
  });

  it("does not wait for the end of a device that has none", async () => {
    await expect(readText("/dev/zero", 1_000_000)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});
