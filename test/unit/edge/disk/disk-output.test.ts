import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DiskOutput } from "../../../../src/edge/disk/disk-output.ts";
import { Journal } from "../../../../src/edge/disk/journal.ts";
import { aTempDirectory } from "../../../rig/temp-directory.ts";

/** A disk that takes everything, and says once that it did not keep it: so Linux reports a write that failed behind us. */
function aLosingDisk(): { handle: FileHandle; lost: Promise<void> } {
  let said = (): void => undefined;
  const lost = new Promise<void>((resolve) => (said = resolve));
  let syncs = 0;
  const disk = {
    writev: (chunks: readonly Uint8Array[]) =>
      Promise.resolve({ bytesWritten: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) }),
    datasync: async () => {
      syncs += 1;
      if (syncs > 1) return;
      setImmediate(said);
      await Promise.reject(Object.assign(new Error("EIO"), { code: "EIO", syscall: "fdatasync" }));
    },
    close: () => Promise.resolve(),
  };
  return { handle: disk as unknown as FileHandle, lost };
}

/** As many bytes as make the output sync by itself. */
const enough = Buffer.alloc(64 * 1024 ** 2);

describe("a bundle's output", () => {
  it.each([
    ["commit", (out: DiskOutput) => out.commit({ bundle: "0" })],
    ["write", (out: DiskOutput) => out.write(0, [Buffer.alloc(1)])],
  ])("says at the next %s that the disk lost what was written, though it takes more", async (_what, next) => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "x.tar");
    const journalPath = `${path}.journal`;
    const { handle, lost } = aLosingDisk();
    const journal = await Journal.start(journalPath, "plan");
    const parts = [{ path, offset: 0, size: enough.byteLength, handle }];
    const facts = {
      path,
      size: enough.byteLength,
      parts,
      journal,
      journalPath,
      order: "any",
      remembered: undefined,
      claim: { release: () => Promise.resolve() },
    } as const;
    const out = new DiskOutput(facts);
    await out.write(0, [enough]);
    out.wrote("blobs/sha256/a", enough.byteLength, true);
    await lost;
    await expect(next(out)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", facts: { path, reason: "EIO" } });
    await out.abandon();
  });
});
