import { execa } from "execa";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { aBundleFile } from "../rig/bundle-file.ts";
import { cli, program } from "../rig/cli.ts";
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
    const { exitCode, stderr } = await cli(["verify", fifo], { cwd: rig.folder, signal: AbortSignal.timeout(20_000) });
    expect(stderr).toMatch(/no regular file.*\[FILE_UNREADABLE\]/);
    expect(exitCode).toBe(1);
  });

  it("an output that is full is a failure with its name", async () => {
    const shell = `exec "$@" > /dev/full`;
    const words = ["sh", ...program, "inspect", rig.bundle, "--json"];
    const { exitCode, stderr } = await execa("sh", ["-c", shell, ...words], { reject: false });
    expect(stderr).toMatch(/ENOSPC.*\[FILE_UNWRITABLE\]/);
    expect(exitCode).toBe(1);
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

  it("half of a surrogate pair is no text", async () => {
    const halved = editJson((document) => {
      (document["items"] as { role: string }[])[0]!.role = "\ud800";
    });
    const bundle = await tamperedFile(rig.bundle, { "bundle.json": halved });
    const { stderr } = await cli(["verify", bundle], { cwd: rig.folder });
    expect(stderr).toMatch(/items\.0\.role: expected text of at most 200 characters \[BUNDLE_MALFORMED\]/);
  });
});
