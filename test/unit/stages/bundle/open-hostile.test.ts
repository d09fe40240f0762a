import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openBundle } from "../../../../src/stages/bundle/open.ts";
import { pack } from "../../../../src/stages/bundle/pack.ts";
import { planBundle } from "../../../../src/stages/bundle/plan.ts";
import { encodeHeader } from "../../../../src/std/ustar.ts";
import { aPackInput } from "../../../rig/bundle-input.ts";
import { MemoryOutput, MemorySource } from "../../../rig/bundle-memory.ts";
import { processorTime } from "../../../rig/processor-time.ts";

const output = new MemoryOutput();
await pack(aPackInput(), output);
const sound = output.bytes;
const plan = planBundle(aPackInput());
const at = (name: string): number => {
  const entry = plan.entries.find((each) => each.name === name);
  if (entry === undefined) throw new Error(name);
  return entry.offset - 512;
};
const firstBlob = plan.entries.find(({ name }) => name.startsWith("blobs/"))!;

/** Rewrites a header field by field, with the checksum made right again: hostile, not broken. */
function forged(name: string, change: (block: Buffer) => void): Buffer {
  const bytes = Buffer.from(sound);
  const block = bytes.subarray(at(name), at(name) + 512);
  change(block);
  block.write("        ", 148, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return bytes;
}

function replaced(name: string, content: Buffer): Buffer {
  const entry = plan.entries.find((each) => each.name === name)!;
  const end = entry.offset + entry.size + ((512 - (entry.size % 512)) % 512);
  return Buffer.concat([sound.subarray(0, entry.offset - 512), entryOf(name, content), sound.subarray(end)]);
}

function entryOf(name: string, content: Buffer): Buffer {
  const header = encodeHeader({ name, size: content.byteLength, mode: 0o644, mtime: 1767323045 });
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.byteLength % 512)) % 512)]);
}

const refused = async (bytes: Buffer): Promise<string> => {
  const source = new MemorySource(bytes);
  const worked = processorTime();
  const error: unknown = await openBundle(source).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(worked()).toBeLessThan(2000);
  expect(error).toMatchObject({ code: "BUNDLE_MALFORMED" });
  expect(source.closed).toBe(true);
  return (error as { facts: { why: string } }).facts.why;
};

describe("openBundle refuses", () => {
  it.each<[string, (block: Buffer) => void, RegExp]>([
    ["a symbolic link", (b) => void b.write("2", 156), /type "2"/],
    ["a hard link", (b) => void b.write("1", 156), /type "1"/],
    ["a character device", (b) => void b.write("3", 156), /type "3"/],
    ["a block device", (b) => void b.write("4", 156), /type "4"/],
    ["a directory", (b) => void b.write("5", 156), /type "5"/],
    ["a FIFO", (b) => void b.write("6", 156), /type "6"/],
    ["a pax header", (b) => void b.write("x", 156), /type "x"/],
    ["a GNU long name", (b) => void b.write("L", 156), /type "L"/],
    ["an old tar's file type", (b) => b.fill(0, 156, 157), /type/],
    ["a name that climbs out", (b) => void b.write("../../etc/cron.d/x\u0000", 0), /name/],
    ["an absolute name", (b) => void b.write("/etc/passwd\u0000", 0), /name/],
    ["a name that climbs in the middle", (b) => void b.write("charts/../../x\u0000", 0), /name/],
    ["a name outside the format", (b) => void b.write("evil.sh\u0000", 0), /name/],
    ["a name with a line break", (b) => void b.write("charts/a\nb\u0000", 0), /name/],
    ["a name climbing through the prefix field", (b) => void b.write("..", 345), /name/],
    ["a negative size", (b) => b.fill(0xff, 124, 136), /size/],
    ["a negative size in octal", (b) => void b.write("-0000000001\u0000", 124), /size/],
    ["a size of eight exbibytes", (b) => b.set([0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255], 124), /size/],
    ["a size past the end", (b) => void b.write("00077777777\u0000", 124), / B > |ends at|size/],
    ["a size that is no number", (b) => void b.write("99999999999\u0000", 124), /size/],
    ["a mode of eight digits", (b) => void b.write("77777777", 100), /mode/],
    ["an owner", (b) => void b.write("0000001\u0000", 108), /header/],
    ["a user name", (b) => void b.write("root\u0000", 265), /header/],
    ["a link target behind a file", (b) => void b.write("/etc/passwd\u0000", 157), /header/],
    ["a device number behind a file", (b) => void b.write("0000007\u0000", 329), /header/],
    ["bytes behind the name's end", (b) => void b.write("hidden", 60), /header/],
    ["another clock", (b) => void b.write("00000000001\u0000", 136), /mtime/],
  ])("%s", async (_what, change, why) => {
    expect(await refused(forged("README.txt", change))).toMatch(why);
  });

  it.each<[string, () => Buffer, RegExp]>([
    ["an empty file", () => Buffer.alloc(0), /end blocks/],
    ["zeros", () => Buffer.alloc(1024 * 1024), /after the end/],
    ["zeros of just two blocks", () => Buffer.alloc(1024), /missing|order/],
    ["random bytes", () => Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 251)), /checksum/],
    ["a file without end blocks", () => sound.subarray(0, -1024), /end blocks|ends at/],
    ["a file with half its end", () => sound.subarray(0, -512), /end blocks/],
    ["a file with something after its end", () => Buffer.concat([sound, Buffer.alloc(512)]), /after the end/],
    ["a second tar after the first", () => Buffer.concat([sound, sound]), /after the end/],
    ["a bundle cut in a blob", () => sound.subarray(0, firstBlob.offset + 100), /ends at|end blocks/],
    ["a bundle.json that is not JSON", () => replaced("bundle.json", Buffer.from("{")), /JSON/],
    ["a bundle.json that is null", () => replaced("bundle.json", Buffer.from("null")), /JSON/],
    ["a bundle.json that is empty", () => replaced("bundle.json", Buffer.alloc(0)), /JSON/],
    ["a bundle.json that is not UTF-8", () => replaced("bundle.json", Buffer.from([0x22, 0xff, 0x22])), /JSON/],
    ["a bundle.json nested a million deep", () => replaced("bundle.json", Buffer.alloc(1e6, "[")), /nested/],
    [
      "a bundle.json without what it must have",
      () => replaced("bundle.json", Buffer.from('{"formatVersion":1}')),
      /missing; expected/,
    ],
    ["a bundle.json that SHA256SUMS does not cover", () => swappedDocument(), /SHA256SUMS/],
    ["a SHA256SUMS that is no list", () => replaced("SHA256SUMS", Buffer.from("hello\n")), /hello/],
    ["a SHA256SUMS that lists a file twice", () => replaced("SHA256SUMS", Buffer.concat([plan.sums, plan.sums])), /tw/],
    ["a SHA256SUMS that gives a blob another sum than its name", () => otherSum(firstBlob.name), /^blobs\/sha256/],
    ["a blob twice", () => doubledBlob(), /twice/],
    ["blobs in another order", () => swappedBlobs(), /wanted sha256/],
    ["a file after the blobs", () => movedToEnd("README.txt"), /order/],
    ["a blob that bundle.json lists twice", () => withMore({ blobs: [one, one, two, ...others] }), /wanted/],
    ["a blob that a delta lists twice", () => withMore({ blobs: [one, one, ...others], delta }), /blobs: twice/],
    ["a missing blob", () => removed(firstBlob.name), /wanted sha256/],
    ["a missing chart", () => removed("charts/higress-2.2.4.tgz"), /wanted|missing/],
    ["a missing index.json", () => removed("index.json"), /order/],
  ])("%s", async (_what, make, why) => {
    expect(await refused(make())).toMatch(why);
  });

  it("a bundle of a later format, by its version", async () => {
    const later = replaced("bundle.json", Buffer.from('{"formatVersion": 2, "new": true}'));
    await expect(openBundle(new MemorySource(later))).rejects.toMatchObject({
      code: "BUNDLE_VERSION",
      facts: { version: "2", known: "1" },
    });
  });

  it("a bundle that was cut anywhere", async () => {
    const property = fc.asyncProperty(fc.nat({ max: sound.byteLength - 1 }), async (length) => {
      await refused(sound.subarray(0, length));
    });
    await fc.assert(property, { seed: 3, numRuns: 150 });
  });

  it("nothing but with BUNDLE_MALFORMED or BUNDLE_VERSION, whatever bytes are changed", async () => {
    const change = fc.record({ at: fc.nat({ max: 16 * 1024 }), value: fc.nat({ max: 255 }) });
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
      const bytes = Buffer.from(sound);
      for (const { at: offset, value } of changes) bytes[offset % bytes.byteLength] = value;
      await openBundle(new MemorySource(bytes)).catch((error: unknown) => {
        expect((error as { code: string }).code).toMatch(/^BUNDLE_(MALFORMED|VERSION)$/);
      });
    });
    await fc.assert(property, { seed: 5, numRuns: 300 });
  });
});

describe("openBundle", () => {
  it("reads no blob body: what it reads does not grow with the blobs", async () => {
    const source = new MemorySource(sound);
    await openBundle(source);
    const blobs = plan.entries.filter(({ name }) => name.startsWith("blobs/"));
    const documents = plan.entries.filter(({ name }) => /^(bundle.json|SHA256SUMS)$/.test(name));
    const small = documents.reduce((sum, { size }) => sum + size, 0);
    expect(source.bytesRead).toBeLessThanOrEqual(small + plan.entries.length * 4096);
    expect(blobs.length).toBeGreaterThan(8);
  });
});

describe("an open bundle", () => {
  it("hands a blob out only at the size that is asked for", async () => {
    await using bundle = await openBundle(new MemorySource(sound));
    const [blob] = bundle.document.blobs;
    if (blob === undefined) throw new Error("no blob");
    expect(bundle.hasBlob(blob.digest, blob.size)).toBe(true);
    expect(bundle.hasBlob(blob.digest, blob.size + 1)).toBe(false);
    for (const size of [blob.size - 1, blob.size + 1])
      expect(() => bundle.fetch({ ...blob, size })).toThrow(
        expect.objectContaining({
          code: "CONTENT_MISMATCH",
          facts: { what: blob.digest, wanted: `${size} B`, got: `${blob.size} B` },
        }),
      );
  });
});

function slice(name: string): Buffer {
  const entry = plan.entries.find((each) => each.name === name)!;
  return sound.subarray(entry.offset - 512, entry.offset + entry.size + ((512 - (entry.size % 512)) % 512));
}

function arranged(names: readonly string[], made: Readonly<Record<string, Buffer>> = {}): Buffer {
  return Buffer.concat([...names.map((name) => made[name] ?? slice(name)), Buffer.alloc(1024)]);
}

const names = plan.entries.map(({ name }) => name);

function removed(name: string): Buffer {
  return arranged(names.filter((each) => each !== name));
}

function movedToEnd(name: string): Buffer {
  return arranged([...names.filter((each) => each !== name), name]);
}

function otherSum(name: string): Buffer {
  const text = plan.sums.toString("latin1");
  const line = new RegExp(`^[0-9a-f]{64}(?=  ${name}$)`, "m");
  return replaced("SHA256SUMS", Buffer.from(text.replace(line, "0".repeat(64)), "latin1"));
}

const [one, two, ...others] = plan.document.blobs;
/** Another than is listed, so that their number fits. */
const delta = { base: "other", absent: [one?.digest, two?.digest] };

/** Other members of bundle.json, and SHA256SUMS to fit; what is absent is not in the file. */
function withMore(more: { readonly blobs: readonly unknown[]; readonly delta?: typeof delta }): Buffer {
  const document = Buffer.from(JSON.stringify({ ...plan.document, ...more }));
  const isThere = (text: string): boolean => more.delta?.absent.some((it) => text.endsWith(it!.slice(7))) !== true;
  const sum = createHash("sha256").update(document).digest("hex");
  const lines = plan.sums
    .toString("latin1")
    .replace(/^.{64}(?=  bundle\.json$)/m, sum)
    .split("\n");
  const sums = entryOf("SHA256SUMS", Buffer.from(lines.filter(isThere).join("\n"), "latin1"));
  return arranged(names.filter(isThere), { "bundle.json": entryOf("bundle.json", document), SHA256SUMS: sums });
}

function doubledBlob(): Buffer {
  return arranged([...names, firstBlob.name]);
}

function swappedBlobs(): Buffer {
  return arranged([...names.slice(0, -2), names.at(-1)!, names.at(-2)!]);
}

function swappedDocument(): Buffer {
  const text = sound.toString("latin1", at("bundle.json") + 512, at("index.json"));
  return replaced(
    "bundle.json",
    Buffer.from(text.slice(0, text.lastIndexOf("}") + 2).replace("2.2.4", "2.2.5"), "latin1"),
  );
}
