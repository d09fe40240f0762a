import { describe, expect, it } from "vitest";
import { UploadSource } from "../../../src/edge/registry/upload.ts";
import { aBlob, aStore, bytesOf } from "../../rig/builders/graph.ts";
import { flipped, truncated } from "../../rig/builders/damage.ts";

const blob = aBlob(300_000);

async function sent(parts: AsyncIterable<Uint8Array>): Promise<{ bytes: number; failure: unknown }> {
  let bytes = 0;
  try {
    for await (const chunk of parts) bytes += chunk.byteLength;
    return { bytes, failure: undefined };
  } catch (failure) {
    return { bytes, failure };
  }
}

describe("what is uploaded", () => {
  it.each([
    ["its last byte", flipped(blob, blob.root.digest, 299_999)],
    ["its first byte", flipped(blob, blob.root.digest, 0)],
    ["its length", truncated(blob, blob.root.digest, 299_999)],
  ])("is never complete when %s is wrong", async (_name, damaged) => {
    const source = new UploadSource(blob.root, { open: () => aStore(damaged).fetch(blob.root) });
    const { bytes, failure } = await sent(source.begin().part(blob.root.size));
    expect(failure).toMatchObject({ code: "CONTENT_MISMATCH", side: "bundle" });
    expect(bytes).toBeLessThan(blob.root.size);
    expect(source.failed).toBe(true);
  });

  it("is cut into parts without a byte lost, and in chunks of at most 1 MiB", async () => {
    const large = aBlob(3 * 1024 ** 2 + 17);
    const body = new UploadSource(large.root, { open: () => aStore(large).fetch(large.root) }).begin();
    const all: Uint8Array[] = [];
    for (const size of [1, 2 * 1024 ** 2, 1024 ** 2 + 16]) {
      const before = all.reduce((sum, each) => sum + each.byteLength, 0);
      for await (const chunk of body.part(size)) all.push(Uint8Array.from(chunk));
      expect(all.reduce((sum, each) => sum + each.byteLength, 0) - before).toBe(size);
    }
    expect(Math.max(...all.map((each) => each.byteLength))).toBeLessThanOrEqual(1024 ** 2);
    expect(Buffer.concat(all).equals(bytesOf(large))).toBe(true);
  });

  it("may be used by the sender after the source has moved on, where the sender may still hold it", async () => {
    const bytes = bytesOf(blob);
    const open = async function* () {
      const buffer = Buffer.alloc(10_000);
      for (let at = 0; at < bytes.byteLength; at += buffer.byteLength) {
        buffer.set(bytes.subarray(at, at + buffer.byteLength));
        yield await Promise.resolve(buffer);
      }
    };
    const held: Uint8Array[] = [];
    for await (const chunk of new UploadSource(blob.root, { open }).begin().part(blob.root.size)) held.push(chunk);
    expect(Buffer.concat(held).equals(bytes)).toBe(true);
  });
});
