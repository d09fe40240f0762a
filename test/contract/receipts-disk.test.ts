import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { receiptDirectory } from "../../src/edge/files/receipts.ts";
import { aReceipt } from "../rig/receipt.ts";

describe("receipts on disk", () => {
  let path: string;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "higress-airgap-receipts-"));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  it("are none before the first, and come back as they were saved, oldest first", async () => {
    const directory = receiptDirectory(join(path, "state/receipts"));
    expect(await directory.list()).toEqual([]);
    await directory.save(aReceipt({ number: 2 }));
    await directory.save(aReceipt({ number: 1 }));
    await directory.save(aReceipt({ number: 2, state: "failed" }));
    expect(await directory.list()).toEqual([aReceipt({ number: 1 }), aReceipt({ number: 2, state: "failed" })]);
    expect(await readdir(join(path, "state/receipts"))).toEqual(["receipt-0001.json", "receipt-0002.json"]);
  });

  it("refuse a file that is no receipt, by its name", async () => {
    await writeFile(join(path, "receipt-0001.json"), '{"receiptVersion":1,"objects":[{"resource":"*"}]}');
    await expect(receiptDirectory(path).list()).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      facts: { file: join(path, "receipt-0001.json") },
    });
  });

  it("say that one of them cannot be read", async () => {
    const file = join(path, "receipt-0001.json");
    await mkdir(file);
    await expect(receiptDirectory(path).list()).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      facts: { path: file, reason: "EISDIR" },
    });
  });

  it("say that they cannot be written", async () => {
    await writeFile(join(path, "file"), "");
    const directory = receiptDirectory(join(path, "file"));
    await expect(directory.save(aReceipt({ number: 1 }))).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  });

  it("are not replaced by one that could not be read again, which rollback and uninstall would need", async () => {
    const directory = receiptDirectory(path);
    const kept = aReceipt({ number: 1 });
    await directory.save(kept);
    const unreadable = { ...kept, values: "a".repeat(1000) };
    await expect(directory.save(unreadable)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await directory.list()).toEqual([kept]);
    expect(await readdir(path)).toEqual(["receipt-0001.json"]);
  });
});
