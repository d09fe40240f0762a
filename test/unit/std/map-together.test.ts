import { describe, expect, it } from "vitest";
import { mapTogether } from "../../../src/std/map-together.ts";

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

describe("mapTogether", () => {
  it("gives results in the order of the items", async () => {
    const work = (item: number): Promise<number> => Promise.resolve(item * 2);
    expect(await mapTogether([1, 2, 3], work, { concurrency: 2 })).toEqual([2, 4, 6]);
  });

  it("throws the first failure when all others have ended, begins nothing more, and calls no abort a failure", async () => {
    const ended: number[] = [];
    const work = async (item: number, signal: AbortSignal): Promise<void> => {
      if (item === 2) throw new Error("the first");
      try {
        await untilAborted(signal);
      } finally {
        ended.push(item);
      }
    };
    await expect(mapTogether([1, 2, 3, 4], work, { concurrency: 2 })).rejects.toThrow("the first");
    expect(ended).toEqual([1]);
  });

  it("ends with the caller's own reason", async () => {
    const stop = new AbortController();
    const mapping = mapTogether([1, 2], (_item, signal) => untilAborted(signal), {
      concurrency: 2,
      signal: stop.signal,
    });
    stop.abort(new Error("enough"));
    await expect(mapping).rejects.toThrow("enough");
  });
});
