import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { StartHash } from "../../../src/content/stream-hash.ts";
import { hashThreads } from "../../../src/edge/disk/hash-threads.ts";

const MiB = 1024 ** 2;
const block = 256 * 1024;

async function hashed(start: StartHash, seed: number, size: number) {
  using hash = start(size);
  const wanted = createHash("sha256");
  // Two blocks take turns, as in a build: one is filled while the other is hashed.
  const blocks = [hash.allocate(block), hash.allocate(block)] as const;
  const busy: [Promise<void> | undefined, Promise<void> | undefined] = [undefined, undefined];
  for (let at = 0, turn = 0; at < size; turn += 1) {
    const which = turn % 2 === 0 ? 0 : 1;
    await busy[which];
    const part = blocks[which].subarray(0, Math.min(block, size - at)).fill((seed * 31 + turn) % 251);
    wanted.update(part);
    busy[which] = hash.update(part);
    at += part.byteLength;
  }
  return { got: await hash.digest(), wanted: wanted.digest("hex") };
}

describe("hashing threads", () => {
  it.each([0, 1, 3])("give the sums of many streams at once, with %i of them", async (count) => {
    await using threads = hashThreads(count);
    const sizes = [0, 1, block, MiB - 1, MiB, 2 * MiB + 17, 5 * MiB];
    const start = await threads.started;
    const streams = [...sizes, ...sizes, ...sizes].map((size, at) => hashed(start, at, size));
    for (const { got, wanted } of await Promise.all(streams)) expect(got).toBe(wanted);
  });

  it("give memory back to streams that come later, and no sum of one that was given up", async () => {
    await using threads = hashThreads(1);
    const start = await threads.started;
    const first = start(2 * MiB);
    const memory = first.allocate(block).fill(1).buffer;
    await first.update(Buffer.from(memory));
    first[Symbol.dispose]();
    using second = start(2 * MiB);
    expect(second.allocate(block).buffer).toBe(memory);
    expect(await second.digest()).toBe(createHash("sha256").digest("hex"));
  });

  it("that are gone fail what still waits for them, instead of leaving it waiting", async () => {
    const threads = hashThreads(1);
    using hash = (await threads.started)(2 * MiB);
    const memory = hash.allocate(block);
    const asked = Promise.allSettled(Array.from({ length: 200 }, async () => hash.update(memory)));
    await threads[Symbol.asyncDispose]();
    // How many of them were answered before is chance.
    for (const each of await asked)
      if (each.status === "rejected") expect(each.reason).toMatchObject({ message: "the hashing thread ended" });
    await expect(hash.digest()).rejects.toThrow("ended");
  });
});
