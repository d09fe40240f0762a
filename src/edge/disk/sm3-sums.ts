import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { finding, type Finding } from "../../model/finding.ts";
import { readBytes, readBytesIfThere } from "../files/read-text.ts";
import { replaceFile } from "../files/replace.ts";
import { withoutVolumeNumber, type DiskSource } from "./disk-source.ts";
import { hashRanges, type HashOptions } from "./hash-ranges.ts";
import { openSource } from "./open-source.ts";
import { findVolumes, volumesPathOf } from "./volumes-document.ts";

/**
 * `NAME.tar.SM3SUMS`: the SM3 (GB/T 32905) of every file that is carried, the tar, or its volumes and their document, as
 * coreutils' `cksum -a sm3 --untagged` prints it. Beside the bundle and not in it: it is of the last byte, too, and whoever
 * has to show SM3 checks what lies on the stick with nothing unpacked.
 */
export const sm3SumsPathOf = (base: string): string => `${base}.SM3SUMS`;

const signaturePathOf = (sumsPath: string): string => `${sumsPath}.sig`;

/** 9999 volumes with names of 255 bytes. */
const maxSums = 4 * 1024 ** 2;
const maxSignature = 4096;

/** Each name with its sum. */
type Sums = ReadonlyMap<string, string>;

interface Progress extends Pick<HashOptions, "onBytes" | "signal"> {
  /** What will be read, before it is. */
  readonly onStart: (files: number, bytes: number) => void;
}

/** Writes the sums of the bundle at `path`, and a signature of them with `sign`. @throws Failure FILE_*, DISK_FULL */
export async function writeSm3Sums(
  path: string,
  { sign, ...progress }: Progress & { readonly sign?: ((sums: Uint8Array) => Uint8Array) | undefined },
): Promise<string> {
  await using source = await openSource(path);
  const base = await baseOf(path);
  const sums = await sumsOf(source, base, progress);
  const bytes = Buffer.from([...sums].map(([name, hex]) => `${hex}  ${name}\n`).join(""));
  await removeSm3Sums(base);
  if (sign !== undefined) await replaceFile(signaturePathOf(sm3SumsPathOf(base)), sign(bytes));
  await replaceFile(sm3SumsPathOf(base), bytes);
  return sm3SumsPathOf(base);
}

/** Of a bundle whose name is about to stand for other bytes. */
export async function removeSm3Sums(base: string): Promise<void> {
  for (const path of [sm3SumsPathOf(base), signaturePathOf(sm3SumsPathOf(base))]) await rm(path, { force: true });
}

export interface Sm3Sums {
  readonly path: string;
  /** `undefined`: no such file. */
  readonly bytes: Buffer | undefined;
  readonly signature: Buffer | undefined;
}

/** What lies beside the bundle at `path`. @throws Failure FILE_UNREADABLE, FILE_KIND */
export async function readSm3Sums(path: string): Promise<Sm3Sums> {
  const sumsPath = sm3SumsPathOf(await baseOf(path));
  const [bytes, signature] = [
    await readBytesIfThere(sumsPath, maxSums),
    await readBytesIfThere(signaturePathOf(sumsPath), maxSignature),
  ];
  return { path: sumsPath, bytes, signature };
}

export interface Sm3Result {
  readonly findings: readonly Finding[];
  /** As they are. */
  readonly files: Sums;
}

/** Holds every file of the bundle at `path` against its line of `bytes`, which is the content of `file`. */
export async function checkSm3Sums(
  path: string,
  { file, bytes }: { readonly file: string; readonly bytes: Buffer },
  progress: Progress,
): Promise<Sm3Result> {
  const wanted = parseSums(bytes.toString("utf8"));
  const unusable = (why: string): Finding => finding("error", "bundle.sm3-sums-unusable", { file, why });
  if (typeof wanted === "string") return { findings: [unusable(wanted)], files: new Map() };
  await using source = await openSource(path);
  const files = await sumsOf(source, await baseOf(path), progress);
  const missing = [...wanted.keys()].filter((name) => !files.has(name)).map((name) => unusable(`${name}: missing`));
  const found = [...files].flatMap(([name, hex]) => {
    const line = wanted.get(name);
    if (line === undefined) return [unusable(`${name}: -`)];
    return line === hex
      ? []
      : [finding("error", "bundle.file-damaged", { file: name, wanted: `SM3 ${line}`, got: `SM3 ${hex}` })];
  });
  return { findings: [...missing, ...found], files };
}

/** How the path of the whole begins, by whatever of it is named. */
async function baseOf(path: string): Promise<string> {
  return (await findVolumes(path))?.base ?? withoutVolumeNumber(path);
}

async function sumsOf(source: DiskSource, base: string, progress: Progress): Promise<Sums> {
  progress.onStart(source.parts.length, source.size);
  const sums = await hashRanges(source, source.parts, { ...progress, algorithm: "sm3" });
  const files = new Map(source.parts.map(({ path }, index) => [basename(path), sums[index] ?? ""]));
  const document = source.bundle === undefined ? undefined : volumesPathOf(base);
  if (document !== undefined) {
    const bytes = await readBytes(document, Infinity);
    files.set(basename(document), createHash("sm3").update(bytes).digest("hex"));
  }
  return files;
}

/** Or the first line that is none, with its number. */
function parseSums(text: string): Sums | string {
  const sums = new Map<string, string>();
  for (const [at, line] of text.replace(/\n$/, "").split("\n").entries()) {
    const [, hex, name] = /^([0-9a-f]{64}) [ *]([^/\\]+)$/.exec(line) ?? [];
    if (hex === undefined || name === undefined || sums.has(name)) return `${at + 1}: "${line.slice(0, 80)}"`;
    sums.set(name, hex);
  }
  return sums;
}
