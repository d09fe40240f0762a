import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import ssri from "ssri";
import { canonicalJson, type Json } from "../../src/std/canonical-json.ts";
import { decodeHeader, encodeHeader, isZero, tarBlock, tarPadding } from "../../src/std/ustar.ts";

/** What an entry becomes; `undefined` takes it out. */
export type Tampering = Readonly<Record<string, Buffer | undefined | ((bytes: Buffer) => Buffer | undefined)>>;

/** The contents of a tar, in its order. */
export function entriesOf(tar: Buffer): ReadonlyMap<string, Buffer> {
  const entries = new Map<string, Buffer>();
  for (let at = 0; !isZero(tar.subarray(at, at + tarBlock));) {
    const header = decodeHeader(tar.subarray(at, at + tarBlock));
    if ("wrong" in header) throw new Error(`${at}: ${header.wrong}`);
    const content = tar.subarray(at + tarBlock, at + tarBlock + header.size);
    entries.set(header.name, content);
    at += tarBlock + header.size + tarPadding(header.size);
  }
  return entries;
}

/**
 * A bundle as somebody packs it who means harm: other contents, and every sum over them right again. What bundle.json
 * and SHA256SUMS say of contents follows by itself; when one of these two is changed by the caller it stays as given.
 */
export function tampered(tar: Buffer, changes: Tampering): Buffer {
  const entries = new Map(entriesOf(tar));
  for (const [name, change] of Object.entries(changes)) {
    const bytes = typeof change === "function" ? change(entries.get(name) ?? Buffer.alloc(0)) : change;
    if (bytes === undefined) entries.delete(name);
    else entries.set(name, bytes);
  }
  const given = (name: string): boolean => Object.hasOwn(changes, name);
  if (!given("bundle.json")) entries.set("bundle.json", withIntegrity(entries));
  if (!given("SHA256SUMS")) entries.set("SHA256SUMS", sumsOf(entries));
  const { mtime } = decodeHeader(tar.subarray(0, tarBlock)) as { mtime: number };
  const parts: Buffer[] = [];
  for (const [name, bytes] of entries) {
    const mode = name.startsWith("bin/") || name === "install.sh" ? 0o755 : 0o644;
    const size = bytes.byteLength;
    parts.push(encodeHeader({ name, size, mode, mtime }), bytes, Buffer.alloc(tarPadding(size)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * tarBlock)]);
}

/** `tampered` for a bundle on disk; returns the path of the other one. */
export async function tamperedFile(path: string, changes: Tampering, out = `${path}.tampered.tar`): Promise<string> {
  await writeFile(out, tampered(await readFile(path), changes));
  return out;
}

/** A change of one JSON document. */
export function editJson(change: (document: Record<string, Json>) => unknown): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const document = JSON.parse(bytes.toString("utf8")) as Record<string, Json>;
    const changed = change(document);
    return Buffer.from(canonicalJson((changed ?? document) as Json));
  };
}

function withIntegrity(entries: ReadonlyMap<string, Buffer>): Buffer {
  const document = JSON.parse((entries.get("bundle.json") ?? Buffer.from("{}")).toString("utf8")) as {
    integrity: Record<string, string>;
  };
  for (const name of Object.keys(document.integrity)) {
    const bytes = entries.get(name);
    if (bytes === undefined) Reflect.deleteProperty(document.integrity, name);
    else document.integrity[name] = ssri.fromData(bytes, { algorithms: ["sha512"] }).toString();
  }
  return Buffer.from(canonicalJson(document as unknown as Json));
}

function sumsOf(entries: ReadonlyMap<string, Buffer>): Buffer {
  const covered = [...entries].filter(([name]) => !name.startsWith("SHA256SUMS"));
  const line = ([name, bytes]: [string, Buffer]): string =>
    `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
  return Buffer.from(covered.map(line).join(""));
}
