import { access, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isSingleExecutable, readAsset } from "../../edge/files/assets.ts";
import type { SmallFile } from "../../stages/bundle/plan.ts";

export interface Executables {
  /** Entries of bin/ to their files. */
  readonly files: readonly { readonly name: string; readonly path: string }[];
  readonly licences: readonly SmallFile[];
}

const architectures = ["amd64", "arm64"] as const;
const licences = ["THIRD-PARTY-NOTICES.txt", "node.txt"] as const;
const none: Executables = { files: [], licences: [] };

/**
 * Our own executables, for hosts without Node: beside the one that runs, or in `dist-exe` above this program.
 * HIGRESS_AIRGAP_EXE_DIR names another directory; empty, none is carried.
 */
export async function findExecutables(env: Readonly<Record<string, string | undefined>>): Promise<Executables> {
  const named = env["HIGRESS_AIRGAP_EXE_DIR"];
  if (named === "") return none;
  const folder = named === undefined ? await ownFolder() : resolve(named);
  if (folder === undefined) return none;
  const there = new Set(await readdir(folder).catch(() => []));
  const own = `higress-airgap-linux-${process.arch === "x64" ? "amd64" : process.arch}`;
  const files = architectures.flatMap((architecture) => {
    const name = `higress-airgap-linux-${architecture}`;
    if (there.has(name)) return [{ name, path: join(folder, name) }];
    // The one that runs may have been given another name.
    return name === own && named === undefined && isSingleExecutable() ? [{ name, path: process.execPath }] : [];
  });
  return files.length === 0 ? none : { files, licences: await licenceFiles() };
}

async function ownFolder(): Promise<string | undefined> {
  if (isSingleExecutable()) return dirname(process.execPath);
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let depth = 0; depth < 5; depth += 1, folder = dirname(folder)) {
    const found = join(folder, "dist-exe");
    if (await exists(found)) return found;
  }
  return undefined;
}

async function licenceFiles(): Promise<readonly SmallFile[]> {
  const read = async (name: string): Promise<SmallFile> => {
    const path = isSingleExecutable() ? `licences/${name}` : `dist-exe/licences/${name}`;
    return { name: `licences/${name}`, bytes: Buffer.from(await readAsset(path)) };
  };
  const found = await Promise.allSettled(licences.map(read));
  return found.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
