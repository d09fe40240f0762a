import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { isFileName } from "../../model/names.ts";
import { writeFailure } from "../disk/errors.ts";

export interface TemporaryFile extends AsyncDisposable {
  readonly path: string;
}

/** A private file (0600 in a folder of its own) for programs that take no stdin; gone when it is disposed of. */
export async function temporaryFile(name: string, bytes: Uint8Array): Promise<TemporaryFile> {
  if (!isFileName(name)) throw new Failure("FILE_UNWRITABLE", { path: name.slice(0, 300), reason: "name" });
  const folder = await mkdtemp(join(tmpdir(), "higress-airgap-"));
  const path = join(folder, name);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(path, bytes, { mode: 0o600 });
  } catch (error) {
    await remove();
    throw writeFailure(error, path, bytes.byteLength);
  }
  return { path, [Symbol.asyncDispose]: remove };
}
