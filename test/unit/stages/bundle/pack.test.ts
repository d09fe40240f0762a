import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event } from "../../../../src/model/event.ts";
import { openBundle } from "../../../../src/stages/bundle/open.ts";
import { pack } from "../../../../src/stages/bundle/pack.ts";
import { planBundle } from "../../../../src/stages/bundle/plan.ts";
import { aPackInput, someItems } from "../../../rig/bundle-input.ts";
import { MemoryOutput, MemorySource } from "../../../rig/bundle-memory.ts";
import { aBlob } from "../../../rig/graph.ts";

const packed = async (output = new MemoryOutput(), input = aPackInput()): Promise<Buffer> => {
  await pack(input, output);
  return output.bytes;
};

describe("pack", () => {
  it("writes a bundle that opens, with every blob of every item", async () => {
    await using bundle = await openBundle(new MemorySource(await packed()));
    const digests = someItems.flatMap(({ seed }) => [...seed.blobs.keys()]);
    expect(digests.filter((digest) => !bundle.hasBlob(digest))).toEqual([]);
    expect(bundle.document.items).toHaveLength(someItems.length);
    expect((await bundle.readFile("README.txt")).toString()).toBe("Read me.\n");
  });

  it("writes every byte once, all of them", async () => {
    const output = new MemoryOutput();
    const bytes = await packed(output);
    expect(output.bytesWritten).toBe(bytes.byteLength);
    expect(bytes.includes(Buffer.alloc(600, 0xee))).toBe(false);
    expect(output.committed).toBe(true);
  });

  it("gives the same bytes at any concurrency, in whatever order and pieces the blobs arrive", async () => {
    const expected = await packed();
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 700 }),
      fc.constantFrom("any" as const, "file" as const, "strict" as const),
      async (scheduler, concurrency, piece, order) => {
        const input = aPackInput({
          open: async function* (_descriptor, bytes, offset) {
            const reused = Buffer.alloc(piece);
            for (let at = offset; at < bytes.byteLength; at += piece) {
              await scheduler.schedule(Promise.resolve());
              const part = bytes.subarray(at, at + piece);
              reused.set(part);
              yield reused.subarray(0, part.byteLength);
              // The next chunk is being asked for: the last one is no longer anybody's.
              reused.fill(0xdd);
            }
          },
        });
        const output = new MemoryOutput(order);
        await scheduler.waitFor(pack(input, output, { concurrency }));
        expect(output.bytes.equals(expected)).toBe(true);
      },
    );
    await fc.assert(property, { seed: 7, numRuns: 40 });
  });

  it("writes from front to back where the file system keeps no holes", async () => {
    const output = new MemoryOutput("strict");
    let at = 0;
    output.onWrite = (offset, length) => {
      expect(offset).toBe(at);
      at += length;
    };
    await packed(output);
    expect(at).toBe(output.bytes.byteLength);
  });

  it("never has more of one host in flight than told", async () => {
    const flying = new Map<string, number>();
    let most = 0;
    const host = ({ size }: { size: number }): string => (size % 2 === 0 ? "even.example" : "odd.example");
    const input = aPackInput({
      host,
      open: async function* (descriptor, bytes, offset) {
        const name = host(descriptor);
        flying.set(name, (flying.get(name) ?? 0) + 1);
        most = Math.max(most, ...flying.values());
        await new Promise((resolve) => setImmediate(resolve));
        yield bytes.subarray(offset);
        flying.set(name, (flying.get(name) ?? 0) - 1);
      },
    });
    await packed(new MemoryOutput(), input).then(() => undefined);
    expect(most).toBeGreaterThan(2);
    most = 0;
    await pack(input, new MemoryOutput(), { perHost: 2 });
    expect(most).toBe(2);
  });

  it("refuses bytes that are not what the lock says, and keeps none of them", async () => {
    const victim = aBlob("precious");
    const items = [...someItems, { kind: "image" as const, reference: "registry.example/a:1", seed: victim }];
    const input = aPackInput({
      items,
      open: async function* (descriptor, bytes, offset) {
        await Promise.resolve();
        yield descriptor.digest === victim.root.digest ? Buffer.from("precioux") : bytes.subarray(offset);
      },
    });
    const output = new MemoryOutput();
    await expect(pack(input, output)).rejects.toMatchObject({ code: "CONTENT_MISMATCH", side: "source" });
    const name = `blobs/sha256/${victim.root.digest.slice(7)}`;
    expect([output.committed, output.complete.has(name), output.partial.has(name)]).toEqual([false, false, false]);
  });

  it.each([
    ["too short", "preciou"],
    ["too long", "precious!"],
  ])("refuses a blob that is %s", async (_what, text) => {
    const seed = aBlob("precious");
    const input = aPackInput({
      items: [{ kind: "image", reference: "registry.example/a:1", seed }],
      // eslint-disable-next-line @typescript-eslint/require-await -- memory
      open: async function* () {
        yield Buffer.from(text);
      },
    });
    await expect(pack(input, new MemoryOutput())).rejects.toMatchObject({
      code: "CONTENT_MISMATCH",
      facts: { wanted: "8 B", got: `${text.length} B` },
    });
  });

  it("reports what is to be moved, what moved, and each item when all of it is there", async () => {
    const events: Event[] = [];
    await pack(aPackInput(), new MemoryOutput(), { report: (event) => events.push(event) });
    const [transfer] = events.filter((event) => event.type === "transfer");
    const moved = events.filter((event) => event.type === "moved").reduce((sum, event) => sum + event.bytes, 0);
    expect(transfer?.bytes).toBe(moved);
    const done = events.filter((event) => event.type === "item").map((event) => [event.name, event.state]);
    expect(done.sort()).toEqual(someItems.map(({ reference }) => [reference, "done"]).sort());
  });

  it("plans every offset before anything is fetched: what is planned is where it lies", async () => {
    const plan = planBundle(aPackInput());
    const bundle = await openBundle(new MemorySource(await packed()));
    const found = [...bundle.entries].map(([name, { offset, size }]) => ({ name, offset, size }));
    expect(plan.entries.map(({ name, offset, size }) => ({ name, offset, size }))).toEqual(found);
    expect(plan.size).toBe(bundle.source.size);
    expect(plan.bundle).toBe(bundle.id);
  });

  it.each([
    ["a role longer than readers take", { role: "r".repeat(201) }, "items.0.role - expected text of at most 200"],
    ["half of a surrogate pair", { role: "\ud800" }, "items.0.role"],
    ["a name that climbs", { name: "../x" }, "items.0.name"],
    ["a version that is none", { version: "-x" }, "items.0.version"],
  ])("builds nothing that it would not open again: %s", (_what, change, said) => {
    const input = aPackInput();
    const items = input.lock.items.map((item, at) => (at === 0 ? { ...item, ...change } : item));
    expect(() => planBundle({ ...input, lock: { ...input.lock, items } })).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        facts: { file: "manifests/bundle.lock.json", problems: expect.stringContaining(said) as string },
      }),
    );
  });

  it.each(["../etc/passwd", "/abs", "bin/../x", "charts/a/../../b", "blobs/sha256/x", "other.txt", "bin/", "charts/é"])(
    "refuses to pack a file named %s",
    (name) => {
      expect(() => planBundle(aPackInput({ files: [{ name, bytes: Buffer.from("x") }] }))).toThrow("USAGE");
    },
  );
});
