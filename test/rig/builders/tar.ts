import { gzipSync } from "node:zlib";
import { Header } from "tar";

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A tar as `tar c` makes it, with nothing in it that changes from run to run; by another writer than the product's. A name with a slash at its end is a folder. */
export function aTar(files: Files): Buffer {
  const entries = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    const type = path.endsWith("/") ? "Directory" : "File";
    new Header({ path, size: bytes.length, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type }).encode(header);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...entries, Buffer.alloc(1024)]);
}

/** Gzipped: the header has no time in it, and the level is fixed. */
export function aTgz(files: Files): Buffer {
  return gzipSync(aTar(files), { level: 6 });
}
