import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

it("doctor collects nothing from a log that somebody has already, and says so", async () => {
  await expect(runCommand(["doctor", "--logs", "a.log", "--collect", "a.tar"])).rejects.toMatchObject({
    code: "USAGE",
    facts: { what: "--logs", wrong: "apart", wanted: "--collect" },
  });
});

it("doctor reads a log that PowerShell has saved, and one that a node has rotated", async () => {
  await using folder = await aTempDirectory();
  const line = "Error: failed to pull image: x509: certificate signed by unknown authority\r\n";
  for (const [name, bytes] of [
    ["linux.log", Buffer.from(line)],
    ["windows.log", Buffer.from(`\ufeff${line}`, "utf16le")],
    ["unmarked.log", Buffer.from(line, "utf16le")],
    ["0.log.20261129-060000.gz", gzipSync(line)],
  ] as const) {
    await writeFile(join(folder.path, name), bytes);
    const { code, stderr } = await runCommand(["doctor", "--logs", name], { cwd: folder.path });
    expect({ name, code, known: stderr.includes("[doctor.") }).toEqual({ name, code: 3, known: true });
  }
  // What cannot be read is not told as a log without trouble.
  await writeFile(join(folder.path, "cut.gz"), gzipSync(line).subarray(0, -12));
  await expect(runCommand(["doctor", "--logs", "cut.gz"], { cwd: folder.path })).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
  });
});

it("doctor ends well where all that it saw is as it should be", async () => {
  await using folder = await aTempDirectory();
  const line = "info wasm fetching image higress/plugins/cors from registry harbor.corp.example with tag 2.0.1";
  await writeFile(join(folder.path, "gateway.log"), `2026-11-29T23:29:48.106716Z ${line}\n`);
  const { code, stdout, stderr } = await runCommand(["doctor", "--logs", "gateway.log"], { cwd: folder.path });
  expect(stderr).toContain("note [doctor.");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "no findings\n" });
});
