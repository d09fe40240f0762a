import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { readText } from "../../edge/files/read-text.ts";
import { limits } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import type { BundleSpec } from "../../model/spec.ts";
import type { LargeFile, SmallFile } from "../../stages/bundle/plan.ts";
import { findExecutables } from "./executables.ts";

/** CRDs, manifests and programs that the spec names, ready for the bundle; our own executables, unless it names others. */
export async function specFiles(
  spec: BundleSpec,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ crds: SmallFile[]; manifests: SmallFile[]; tools: LargeFile[] }> {
  const small = async (folder: string, file: { path: string; name?: string | undefined }): Promise<SmallFile> => ({
    name: `${folder}/${file.name ?? basename(file.path)}`,
    // Inside it is read as UTF-8, whatever the editor here has saved.
    bytes: Buffer.from(await readText(file.path, limits.smallFile)),
  });
  const { files: own } = await findExecutables(env);
  const programs = { ...Object.fromEntries(own.map(({ name, path }) => [name, { path }])), ...spec.tools };
  return {
    crds: await Promise.all(spec.crds.map((file) => small("crds", file))),
    manifests: await Promise.all(spec.manifests.map((file) => small("manifests/user", file))),
    tools: await Promise.all(
      Object.entries<BundleSpec["tools"][string]>(programs).map(([name, { path, sha256 }]) =>
        programFile(`bin/${name}`, path, sha256),
      ),
    ),
  };
}

/** A program is hashed before the build, since SHA256SUMS is laid out before the first byte is written. */
export async function programFile(name: string, path: string, pinned?: string): Promise<LargeFile> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Failure("FILE_MISSING", { path }, { cause });
  });
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  const sha256 = hash.digest("hex");
  if (pinned !== undefined && pinned !== sha256)
    throw new Failure("CONTENT_MISMATCH", { what: path, wanted: pinned, got: sha256 }, { side: "host" });
  return {
    name,
    size: found.size,
    sha256,
    mode: 0o755,
    open: (offset) => createReadStream(path, { start: offset, highWaterMark: 1 << 20 }),
  };
}
