import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDirectory extends AsyncDisposable {
  readonly path: string;
}

/** A directory that is gone, with all that is in it, when the test ends. */
export async function aTempDirectory(): Promise<TempDirectory> {
  const path = await mkdtemp(join(tmpdir(), "higress-airgap-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
