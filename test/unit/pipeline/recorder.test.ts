import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import type { Receipt } from "../../../src/model/receipt.ts";
import { Recorder } from "../../../src/pipeline/recorder.ts";
import { aReceipt } from "../../rig/receipt.ts";

const recorder = (save: (receipt: Receipt) => Promise<void>): Recorder =>
  new Recorder({
    receipt: aReceipt({ state: "running" }),
    save,
    now: () => new Date(0),
    report: () => undefined,
    skip: new Set(),
    signal: new AbortController().signal,
  });

describe("a phase that fails", () => {
  it("ends with its own cause, also when the receipt cannot be written any more", async () => {
    const full = new Failure("DISK_FULL", { path: "receipt.json", wanted: "1 B", free: "0 B" });
    let broken = false;
    const record = recorder(() => (broken ? Promise.reject(full) : Promise.resolve()));
    const cause = new Failure("CONTENT_MISSING", { what: "a", where: "b" });
    const work = (): Promise<never> => {
      broken = true;
      return Promise.reject(cause);
    };
    await expect(record.phase("apply", work)).rejects.toBe(cause);
  });

  it("is written down as failed, and so is the install", async () => {
    const saved: Receipt[] = [];
    const record = recorder((receipt) => Promise.resolve(void saved.push(receipt)));
    await expect(record.phase("apply", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const phases = [{ state: "started" }, { phase: "apply", state: "failed" }];
    expect(saved.at(-1)).toMatchObject({ state: "failed", phases });
  });

  it("does not begin where its beginning cannot be written down", async () => {
    let began = false;
    const work = (): Promise<void> => Promise.resolve(void (began = true));
    await expect(recorder(() => Promise.reject(new Error("full"))).phase("apply", work)).rejects.toThrow("full");
    expect(began).toBe(false);
  });
});
