import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { zipDirectory, readZipEntry } from "../../../src/content/zip.ts";
import { Failure } from "../../../src/model/failure.ts";
import { aZip, type ZipFile } from "../../rig/wasm/jar.ts";

const limits = { what: "a.jar", maxBytes: 8 * 1024 ** 2 };

async function read(archive: Uint8Array, name: string): Promise<string> {
  const entry = zipDirectory(archive, "a.jar").get(name);
  if (entry === undefined) throw new Error(`no ${name}`);
  return Buffer.from(await readZipEntry(archive, entry, limits)).toString();
}

const why = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure && error.code === "ARCHIVE_INVALID") return (error.facts as { why: string }).why;
    throw error;
  }
  return "nothing was thrown";
};

describe("a zip archive", () => {
  it("gives back what was put in, however the files stand in it", () =>
    fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.string({ minLength: 1, maxLength: 20 }),
          fc.record({ content: fc.uint8Array({ maxLength: 300 }), stored: fc.boolean(), descriptor: fc.boolean() }),
          { noNullPrototype: true, maxKeys: 8 },
        ),
        fc.constantFrom("", "#!/bin/sh\n"),
        fc.constantFrom("", "a comment with PK\u0005\u0006 in it and more than 22 bytes"),
        async (files, prefix, comment) => {
          const archive = aZip(files, { prefix, comment });
          const directory = zipDirectory(archive, "a.jar");
          expect([...directory.keys()]).toEqual(Object.keys(files));
          for (const entry of directory.values()) {
            const content = await readZipEntry(archive, entry, limits);
            expect(Buffer.compare(content, files[entry.name]!.content)).toBe(0);
          }
        },
      ),
      { seed: 7, numRuns: 60 },
    ));

  it("reads an archive inside an archive without unpacking to a disk", async () => {
    const outer = aZip({ "lib/inner.jar": { content: aZip({ "a.txt": "hello" }), stored: true } });
    const inner = await readZipEntry(outer, zipDirectory(outer, "outer").get("lib/inner.jar")!, limits);
    expect(await read(inner, "a.txt")).toBe("hello");
  });

  it.each<[string, Uint8Array, string]>([
    ["no archive", Buffer.from("<html>404</html>"), "zip: no end of central directory"],
    ["nothing", Buffer.alloc(0), "zip: no end of central directory"],
    ["a cut archive", aZip({ "a.txt": "hello" }).subarray(0, -30), "zip: no end of central directory"],
    [
      "an archive that lost its beginning",
      aZip({ "a.txt": "hello" }).subarray(40),
      "zip: central directory outside of the file",
    ],
  ])("refuses %s", (_name, bytes, wanted) => {
    expect(why(() => zipDirectory(bytes, "a.jar"))).toBe(wanted);
  });

  it("refuses zip64 instead of reading half of it", () => {
    const archive = aZip({ "a.txt": "hello" });
    archive.writeUInt16LE(0xffff, archive.length - 12);
    archive.writeUInt16LE(0xffff, archive.length - 14);
    expect(why(() => zipDirectory(archive, "a.jar"))).toBe("zip: zip64");
  });

  it("refuses a directory that counts more entries than it has", () => {
    const archive = aZip({ "a.txt": "hello" });
    archive.writeUInt16LE(2, archive.length - 12);
    archive.writeUInt16LE(2, archive.length - 14);
    expect(why(() => zipDirectory(archive, "a.jar"))).toBe("zip: damaged central directory");
  });

  it("refuses two entries of one name: two readers would take two files", () => {
    const archive = aZip({ "a.txt": "one", "b.txt": "two" });
    for (let at = archive.indexOf("b.txt"); at >= 0; at = archive.indexOf("b.txt", at + 1)) archive.write("a", at);
    expect(why(() => zipDirectory(archive, "a.jar"))).toBe("zip: two entries a.txt");
  });

  it.each<[string, ZipFile, string]>([
    ["a wrong checksum", { content: "hello", says: { crc32: 1 } }, "checksum"],
    [
      "a size that is too small",
      { content: "hello world", says: { size: 3 } },
      "Cannot create a Buffer larger than 3 bytes",
    ],
    ["a size that is too large", { content: "hello", says: { size: 9 } }, "5 B, 9 B wanted"],
    ["a stored size that is wrong", { content: "hello", stored: true, says: { size: 9 } }, "5 B, 9 B wanted"],
    ["another name at the data", { content: "hello", says: { localName: "b.txt" } }, "outside of the file"],
    ["encryption", { content: "hello", says: { flags: 1 } }, "encrypted"],
    ["an unknown method", { content: "hello", says: { method: 93 } }, "method 93"],
    ["a bomb", { content: Buffer.alloc(4 * 1024 ** 2) }, "unpacks to more than 200 times its size"],
    ["more than the limit", { content: "", says: { size: 9 * 1024 ** 2 } }, "9437184 B > 8388608 B"],
  ])("refuses an entry with %s", async (_name, file, wanted) => {
    await expect(read(aZip({ "a.txt": file }), "a.txt")).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      facts: { what: "a.jar", why: `zip: a.txt: ${wanted}` },
    });
  });

  it("never reads past its bytes, whatever one byte of it becomes", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (position, change) => {
        const archive = aZip({ "a.txt": "hello", "b.txt": { content: "world", stored: true, descriptor: true } });
        archive[position % archive.length]! ^= change;
        try {
          for (const entry of zipDirectory(archive, "a.jar").values()) await readZipEntry(archive, entry, limits);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
      { seed: 11, numRuns: 400 },
    ));
});
