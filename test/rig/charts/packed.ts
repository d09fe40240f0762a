import { gzipSync } from "node:zlib";
import { Header } from "tar";

/** A file of a packed chart, right or wrong. */
export interface PackedFile {
  readonly path: string;
  readonly text?: string | Uint8Array;
  readonly type?: "File" | "SymbolicLink" | "Link" | "CharacterDevice";
}

export function packed(files: readonly PackedFile[]): Buffer {
  return gzipSync(Buffer.concat([...files.map(entry), Buffer.alloc(1024)]));
}

function entry({ path, text = "", type = "File" }: PackedFile): Buffer {
  const body = Buffer.from(text);
  const block = Buffer.alloc(512);
  new Header({
    path,
    type,
    ...(type.endsWith("Link") ? { linkpath: "x" } : {}),
    size: body.length,
    mode: 0o644,
    mtime: new Date(5000),
  }).encode(block, 0);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
