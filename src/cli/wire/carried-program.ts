import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { readFailure } from "../../edge/disk/errors.ts";
import { verifySignature } from "../../edge/disk/signature.ts";
import { readBytesIfThere, readText } from "../../edge/files/read-text.ts";
import { Entry, limits } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { refuser } from "../../stages/bundle/read-entries.ts";
import { parseSums } from "../../stages/bundle/open.ts";
import type { Context } from "../context.ts";
import { maxKey } from "./bundles.ts";

const maxSignature = 1024;

/** Where a program came from: what was unpacked beside us, what somebody named, or the host's own PATH. */
export type Origin = "bundle" | "named" | "path";

/**
 * A program that was unpacked from a bundle is started only as what SHA256SUMS beside `bin/` says, and that, once keys
 * are configured, only with its signature: whoever can put a file beside us could otherwise run it as us. What the
 * host or its owner put elsewhere is theirs to vouch for.
 * @throws Failure PROGRAM_UNTRUSTED, BUNDLE_MALFORMED
 */
export async function checkProgram(
  path: string,
  origin: Origin,
  keys: readonly string[],
  context: Context,
): Promise<void> {
  // A link on PATH into an unpacked bundle starts what the bundle carries.
  const real = await realpath(path);
  const folder = dirname(dirname(real));
  if (origin !== "bundle" && basename(dirname(real)) !== "bin") return;
  const untrusted: Untrusted = (why) => new Failure("PROGRAM_UNTRUSTED", { program: path, why });
  const bytes = await readBytesIfThere(join(folder, Entry.sums), limits.smallFile);
  if (bytes === undefined) {
    if (origin === "bundle") throw untrusted(`${Entry.sums}: ENOENT`);
    return;
  }
  const sums = parseSums(bytes.toString("latin1"), refuser(join(folder, Entry.sums)));
  const name = `bin/${basename(real)}`;
  const wanted = sums.get(name);
  if (wanted === undefined) {
    if (origin === "path") return;
    throw untrusted(`${Entry.sums}: ${name}: -`);
  }
  if (keys.length > 0) await checkSums(bytes, folder, keys, untrusted, context);
  const got = await sha256Of(real);
  if (got !== wanted) throw untrusted(`sha256 ${got}, ${Entry.sums} ${wanted}`);
}

type Untrusted = (why: string) => Failure;

async function checkSums(
  sums: Uint8Array,
  folder: string,
  keys: readonly string[],
  untrusted: Untrusted,
  { cwd }: Context,
): Promise<void> {
  const signature = await readBytesIfThere(join(folder, Entry.signature), maxSignature);
  if (signature === undefined) throw untrusted(`${Entry.signature}: ENOENT`);
  for (const key of keys) if (await verifySignature(sums, signature, await readText(resolve(cwd, key), maxKey))) return;
  throw untrusted(`${Entry.signature} ≠ ${keys.join(", ")}`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  } catch (error) {
    throw readFailure(error, path);
  }
  return hash.digest("hex");
}
