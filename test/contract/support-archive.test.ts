import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claim } from "../../src/edge/disk/claim.ts";
import { writeSupportArchive } from "../../src/edge/archive/support-archive.ts";

const files = [
  { name: "logs/p/c.log", text: "Authorization: Bearer planted-token-value\nfine 中文" },
  { name: "../../etc/passwd", text: "x" },
  { name: "events.txt", text: "" },
];

describe("a support archive", () => {
  let path: string;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "higress-airgap-support-"));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));
  const sha256 = async (name: string) =>
    createHash("sha256")
      .update(await readFile(join(path, name)))
      .digest("hex");

  it("is the same bytes for the same evidence, and tar reads it", async () => {
    await writeSupportArchive(join(path, "a.tar"), files);
    await writeSupportArchive(join(path, "b.tar"), files.toReversed());
    expect(await sha256("a.tar")).toBe(await sha256("b.tar"));
    const names = execFileSync("tar", ["tf", join(path, "a.tar")], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(names).toEqual([
      "higress-airgap-support/etc/passwd",
      "higress-airgap-support/events.txt",
      "higress-airgap-support/logs/p/c.log",
    ]);
  });

  it("holds no secret", async () => {
    await writeSupportArchive(join(path, "a.tar"), files);
    const text = await readFile(join(path, "a.tar"), "utf8");
    expect(text).toContain("fine 中文");
    expect(text).not.toContain("planted-token-value");
  });

  it.each([
    ["a directory that is not there", "none/a.tar", "ENOENT"],
    ["a full disk", "/dev/full", "ENOSPC"],
  ])("fails cleanly on %s, and leaves nothing", async (_what, name, reason) => {
    const target = name.startsWith("/") ? name : join(path, name);
    await expect(writeSupportArchive(target, files)).rejects.toMatchObject({
      code: "FILE_UNWRITABLE",
      facts: { reason },
    });
    expect(await readdir(path)).toEqual([]);
  });

  it("is one process's at a time, goes over what a killed one left, and follows no link that stands in the way", async () => {
    const target = join(path, "a.tar");
    await writeFile(join(path, "theirs"), "theirs");
    await symlink("theirs", `${target}.partial`);
    const other = await claim(`${target}.partial.claim`);
    await expect(writeSupportArchive(target, files)).rejects.toMatchObject({ code: "FILE_BUSY" });
    await other.release();
    await writeSupportArchive(target, files);
    expect(await readFile(join(path, "theirs"), "utf8")).toBe("theirs");
    expect(await readdir(path)).toEqual(["a.tar", "theirs"]);
  });

  it("stops when told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(writeSupportArchive(join(path, "a.tar"), files, signal)).rejects.toThrow("enough");
    expect(await readdir(path)).toEqual([]);
  });
});
