import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { layerMembers } from "../../content/layer-tar.ts";
import type { SizeOf } from "../../edge/charts/http.ts";
import type { Get } from "../../edge/charts/pull.ts";
import { readFailure } from "../../edge/disk/errors.ts";
import { replaceFile } from "../../edge/files/replace.ts";
import { programPrefix } from "../../model/bundle.ts";
import { digestFrom, digestOf, hexOf, type Digest } from "../../model/digest.ts";
import { type Report, stopAt } from "../../model/event.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { BundleSpec } from "../../model/spec.ts";
import type { LargeFile } from "../../stages/bundle/ports.ts";

/** An entry of `tools:` in the spec. */
type Tool = BundleSpec["tools"][string];
export type Program = Pick<Tool, "path" | "sha256" | "member">;

export interface ProgramPorts {
  readonly get: Get;
  /** Where nothing is written, what is not there is not fetched either: its size is asked for. */
  readonly sizeOf?: SizeOf | undefined;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** helm is 60 MB, kubectl as much. */
const maxBytes = 512 * 1024 ** 2;

/**
 * Fetches what is not there yet, and keeps it where the spec says: a second build has it, and so has a host without
 * internet to which somebody carried it.
 * @throws Failure FINDINGS once every one that cannot be had is told
 */
export async function fetchPrograms(tools: BundleSpec["tools"], ports: ProgramPorts): Promise<void> {
  const unfetched: Finding[] = [];
  for (const [program, tool] of Object.entries(tools)) {
    const { from, path } = tool;
    if (from === undefined || (await isThere(path))) continue;
    const failure = await fetchFrom([from, ...tool.mirrors], program, tool, ports);
    if (failure === undefined) continue;
    const { code: why, facts: about } = failure;
    unfetched.push(finding("error", "tool.unfetched", { program, path, from, why, about }));
  }
  stopAt(unfetched, ports.report, "source");
}

/** Programs that are not there yet, as large as their servers say, for what only counts; the others are left out. */
export async function sizedPrograms(
  tools: BundleSpec["tools"],
  { sizeOf, signal }: ProgramPorts,
): Promise<ReadonlyMap<string, LargeFile>> {
  const sized = new Map<string, LargeFile>();
  for (const [program, { path, from, sha256 = "", member }] of Object.entries(tools)) {
    if (sizeOf === undefined || from === undefined || (await isThere(path))) continue;
    const size = await sizeOf(from, { packed: member !== undefined, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      // The program is fetched then, and what is wrong with all of its sources is told.
      if (!isFailure(error)) throw error;
      return undefined;
    });
    const open = (): never => {
      throw new Failure("FILE_MISSING", { path });
    };
    if (size !== undefined) sized.set(program, { name: `${programPrefix}${program}`, size, sha256, mode: 0o755, open });
  }
  return sized;
}

/** What the first of the sources said when none has it. */
async function fetchFrom(
  sources: readonly string[],
  program: string,
  { path, sha256 = "" }: Tool,
  { get, report, signal }: ProgramPorts,
): Promise<Failure | undefined> {
  let first: Failure | undefined;
  for (const url of sources) {
    const detail = `${program}: ${url}`;
    report({ type: "phase", phase: "fetch", state: "started", detail });
    const bytes = await getPinned(url, sha256, get, signal);
    if (bytes instanceof Failure) {
      first ??= bytes;
      continue;
    }
    await replaceFile(path, bytes);
    report({ type: "phase", phase: "fetch", state: "done", detail });
    return undefined;
  }
  return first;
}

async function getPinned(url: string, wanted: string, get: Get, signal: AbortSignal): Promise<Uint8Array | Failure> {
  try {
    const bytes = await get(url, { limit: maxBytes, signal });
    const got = hexOf(digestOf(bytes));
    return got === wanted ? bytes : new Failure("CONTENT_MISMATCH", { what: url, wanted, got }, { side: "source" });
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    return error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A program is hashed before the build, since SHA256SUMS is laid out before the first byte is written. */
export async function programFile(name: string, { path, sha256: pinned, member }: Program): Promise<LargeFile> {
  const found = await stat(path).catch((cause: unknown) => {
    throw readFailure(cause, path);
  });
  if (!found.isFile()) throw new Failure("FILE_KIND", { path });
  const { size } = found;
  const { digest } = await hashed(readFrom(path, 0));
  const sha256 = hexOf(digest);
  if (pinned !== undefined && pinned !== sha256)
    throw new Failure("CONTENT_MISMATCH", { what: path, wanted: pinned, got: sha256 }, { side: "host" });
  if (member === undefined) return { name, size, sha256, mode: 0o755, open: (offset) => readFrom(path, offset) };
  const packed = { path, size, digest, member };
  const inside = await hashed(unpacked(packed, 0));
  return {
    name,
    size: inside.size,
    sha256: hexOf(inside.digest),
    mode: 0o755,
    open: (offset) => unpacked(packed, offset),
  };
}

function readFrom(path: string, offset: number): AsyncIterable<Uint8Array> {
  return createReadStream(path, { start: offset, highWaterMark: 1 << 20 });
}

async function hashed(bytes: AsyncIterable<Uint8Array>): Promise<{ readonly size: number; readonly digest: Digest }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { size, digest: digestFrom(hash) };
}

interface PackedProgram {
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
  readonly member: string;
}

/** One file of a packed tar as a stream: it is unpacked to no disk. @throws Failure ARCHIVE_INVALID where it is not in it */
async function* unpacked({ path, size, digest, member }: PackedProgram, offset: number): AsyncGenerator<Uint8Array> {
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size } as const;
  const members = layerMembers({ fetch: () => readFrom(path, 0) }, layer, { side: "host", maxBytes });
  let isFound = false;
  for await (const { path: name, type, body } of members) {
    if (name !== member || type !== "file") continue;
    isFound = true;
    let toSkip = offset;
    for await (const chunk of body) {
      if (toSkip < chunk.byteLength) yield chunk.subarray(toSkip);
      toSkip = Math.max(0, toSkip - chunk.byteLength);
    }
  }
  if (!isFound) throw new Failure("ARCHIVE_INVALID", { what: path, why: `no ${member} in it` }, { side: "host" });
}
