import { open, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { limits, VolumesDocument } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { errorCode, readFailure } from "./errors.ts";

/** `NAME.volumes.json` of `NAME.tar`. */
export function volumesPathOf(path: string): string {
  return `${path.replace(/\.tar$/, "")}.volumes.json`;
}

/** Volumes by what a user may name: `NAME.volumes.json`, `NAME.tar.001`, `NAME.tar` or `NAME`. */
export interface VolumeSet {
  /** The path that the volumes' numbers are put behind. */
  readonly base: string;
  readonly documentPath: string;
  readonly document: VolumesDocument;
}

/** `undefined` when `path` is one file, or nothing at all. @throws Failure VOLUME_UNUSABLE, FILE_* */
export async function findVolumes(path: string): Promise<VolumeSet | undefined> {
  const base = path.replace(/\.volumes\.json$/, "").replace(/\.\d{3,4}$/, "");
  if (base === path && (await isThere(path))) return undefined;
  const documentPath = volumesPathOf(base);
  const document = await readVolumes(documentPath);
  if (document === undefined) return undefined;
  // What was named may be the document: the volumes' own names say what the tar is called.
  const first = document.volumes[0]?.name.replace(/\.\d{3,4}$/, "") ?? basename(base);
  return { base: join(dirname(documentPath), first), documentPath, document };
}

async function readVolumes(path: string): Promise<VolumesDocument | undefined> {
  const found = await stat(path).catch(absent);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > limits.smallFile)
    throw new Failure("VOLUME_UNUSABLE", { volume: path, why: "size" });
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw readFailure(error, path);
  });
  const parsed = VolumesDocument.safeParse(parse(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const why = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "?"}`;
    throw new Failure("VOLUME_UNUSABLE", { volume: basename(path), why });
  }
  const { size, volumes } = parsed.data;
  if (volumes.reduce((sum, volume) => sum + volume.size, 0) !== size)
    throw new Failure("VOLUME_UNUSABLE", { volume: basename(path), why: `size ${size}` });
  return parsed.data;
}

export async function writeVolumes(path: string, document: VolumesDocument): Promise<void> {
  const handle = await open(path, "w", 0o644);
  try {
    await handle.writeFile(canonicalJson(document));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(absent)) !== undefined;
}

function absent(error: unknown): undefined {
  if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
  throw error;
}
