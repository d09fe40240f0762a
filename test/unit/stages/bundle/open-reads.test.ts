import { afterEach, expect, it, vi } from "vitest";
import { openBundle } from "../../../../src/stages/bundle/open.ts";
import { pack } from "../../../../src/stages/bundle/pack.ts";
import { aPackInput } from "../../../rig/bundle-input.ts";
import { MemoryOutput, MemorySource } from "../../../rig/bundle-memory.ts";
import { anImage } from "../../../rig/graph.ts";

const layers = Array.from({ length: 60 }, (_, at) => ({
  [`file-${at}`]: String.fromCharCode(65 + at).repeat(9000 + at),
}));
const output = new MemoryOutput();
const reference = "registry.example/higress/gateway:2.2.4";
await pack(
  aPackInput({ items: [{ kind: "image", reference, seed: anImage({ layers }), platforms: ["linux/amd64"] }] }),
  output,
);

interface Stretch {
  readonly offset: number;
  readonly length: number;
  readonly gaveWay: boolean;
}

/** A file whose reads at once are written down; each takes what `onRead` makes of the clock. */
class WatchedSource extends MemorySource {
  readonly reads: Stretch[] = [];
  onRead: () => void = () => undefined;

  override read(offset: number, length: number): Promise<Buffer> {
    this.reads.push({ offset, length, gaveWay: true });
    return super.read(offset, length);
  }

  fillNow(bytes: Buffer, offset: number): void {
    this.reads.push({ offset, length: bytes.byteLength, gaveWay: false });
    this.onRead();
    this.bytes.copy(bytes, 0, offset, offset + bytes.byteLength);
  }
}

afterEach(() => void vi.restoreAllMocks());

it("opening a bundle reads of each header the page that it stands on, and not a byte of the next", async () => {
  const source = new WatchedSource(output.bytes);
  await using bundle = await openBundle(source);
  const headers = source.reads.filter(({ gaveWay }) => !gaveWay);
  expect(bundle.document.blobs.length).toBeGreaterThan(60);
  expect(headers.length).toBeGreaterThan(15);
  for (const { offset, length } of headers) {
    const end = offset + length;
    expect(end === source.size || end % 4096 === 0, `${offset}+${length}`).toBe(true);
    // The padding before a header may stand on the page before.
    expect(Math.ceil(end / 4096) - Math.floor(offset / 4096)).toBeLessThanOrEqual(2);
  }
});

it("opening gives way to an interruption after 50 ms, however slow a medium is", async () => {
  let clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
  const source = new WatchedSource(output.bytes);
  source.onRead = () => void (clock += 20);
  await using bundle = await openBundle(source);
  expect(bundle.entries.size).toBeGreaterThan(60);
  // Reads of 20 ms: three are 60 ms, and the fourth gives way.
  const kinds = source.reads.map(({ gaveWay }) => (gaveWay ? "way" : "now")).join(" ");
  expect(kinds).toMatch(/now now now way now now now way/);
  expect(kinds).not.toMatch(/now now now now/);
});
