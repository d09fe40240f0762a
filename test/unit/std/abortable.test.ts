import { describe, expect, it } from "vitest";
import { abortable } from "../../../src/std/abortable.ts";

describe("abortable", () => {
  it("gives what the work gives, while nobody aborts", async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(1), signal)).toBe(1);
    await expect(abortable(Promise.reject(new Error("work")), signal)).rejects.toThrow("work");
    expect(await abortable(Promise.resolve(2), undefined)).toBe(2);
  });

  it("ends with the reason at once, and lets the work go on", async () => {
    const stop = new AbortController();
    const reason = new Error("stop");
    const waiting = abortable(new Promise(() => undefined), stop.signal);
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  // A rejection that nobody handles would end the process; here it fails the run.
  it("does not lose the failure of work that nobody waits for any more", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    const others = process.rawListeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", listen);
    try {
      await expect(abortable(Promise.reject(new Error("late")), AbortSignal.abort(new Error("stop")))).rejects.toThrow(
        "stop",
      );
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.removeListener("unhandledRejection", listen);
      for (const other of others) process.on("unhandledRejection", other as NodeJS.UnhandledRejectionListener);
    }
    expect(unhandled).toEqual([]);
  });
});
