import { rmSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { isFileName } from "../../model/names.ts";
import { claim, isAbandoned } from "../disk/claim.ts";
import { writeFailure } from "../disk/errors.ts";

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

const prefix = "higress-airgap-tmp-";
const claimName = "claim";

/** Where the second Ctrl-C ends the process nothing is disposed of any more. */
const open = new Set<string>();
process.once("exit", () => {
  for (const path of open) rmSync(path, { recursive: true, force: true });
});

/**
 * A folder (0700) for what other programs must find on disk: values, charts, patches. It is gone when it is disposed of
 * and when the process exits; what a killed process left is removed when the next one makes such a folder.
 * @throws Failure FILE_UNWRITABLE, DISK_FULL
 */
export async function temporaryFolder(within: string = tmpdir()): Promise<TemporaryFolder> {
  await removeAbandoned(within);
  const path = await mkdtemp(join(within, prefix)).catch((error: unknown) => {
    throw writeFailure(error, within);
  });
  open.add(path);
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    open.delete(path);
  };
  try {
    const claimed = await claim(join(path, claimName));
    const release = async (): Promise<void> => {
      await claimed.release();
      await remove();
    };
    return { path, [Symbol.asyncDispose]: release };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * A folder that is of another user, or that holds no claim of a process that is known to be gone, is left alone: a
 * temporary folder is everybody's, and somebody may have given theirs such a name.
 */
async function removeAbandoned(within: string): Promise<void> {
  const names = await readdir(within).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const path = join(within, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory() !== true || found.uid !== process.geteuid?.()) continue;
    if (await isAbandoned(join(path, claimName)))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** A private file (0600 in a folder of its own) for programs that take no stdin; gone when it is disposed of. */
export async function temporaryFile(name: string, bytes: Uint8Array): Promise<TemporaryFolder> {
  if (!isFileName(name)) throw new Failure("FILE_UNWRITABLE", { path: name.slice(0, 300), reason: "name" });
  const folder = await temporaryFolder();
  const path = join(folder.path, name);
  try {
    await writeFile(path, bytes, { mode: 0o600, flag: "wx" });
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw writeFailure(error, path, bytes.byteLength);
  }
  return { path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
