import { access, readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isSingleExecutable, readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { loadManifests } from "../../edge/files/documents.ts";
import { readText } from "../../edge/files/read-text.ts";
import { limits, programPrefix } from "../../model/bundle.ts";
import { Lock } from "../../model/lock.ts";
import { plainName } from "../../model/names.ts";
import type { BundleSpec } from "../../model/spec.ts";
import { inventoryOf, parseInventory, type Inventory } from "../../stages/bundle/delta.ts";
import type { LargeFile, SmallFile } from "../../stages/bundle/ports.ts";
import { parseRequest, type RepairRequest } from "../../stages/repair/request.ts";
import type { Context } from "../context.ts";
import { openBundles } from "./bundles.ts";
import { fetchPrograms, programFile, sizedPrograms, type Program, type ProgramPorts } from "./programs.ts";

/**
 * CRDs, manifests and programs that the spec names, ready for the bundle; our own executables, unless it names others.
 * @throws Failure FINDINGS where a program cannot be fetched, once each is told
 */
export async function specFiles(
  spec: BundleSpec,
  env: Readonly<Record<string, string | undefined>>,
  ports: ProgramPorts,
): Promise<{ crds: SmallFile[]; manifests: SmallFile[]; tools: LargeFile[] }> {
  const { files: own } = await findExecutables(env);
  const sized = await sizedPrograms(spec.tools, ports);
  await fetchPrograms(Object.fromEntries(Object.entries(spec.tools).filter(([name]) => !sized.has(name))), ports);
  const programs: Readonly<Record<string, Program>> = {
    ...Object.fromEntries(own.map(({ name, path }) => [name, { path }])),
    ...spec.tools,
  };
  return {
    crds: await smallFiles("crds", spec.crds, (path) => readText(path, limits.smallFile)),
    manifests: await smallFiles("manifests/user", spec.manifests, loadManifests),
    tools: await Promise.all(
      Object.entries(programs).map(
        async ([name, program]) => sized.get(name) ?? (await programFile(`${programPrefix}${name}`, program)),
      ),
    ),
  };
}

async function smallFiles(
  folder: string,
  files: BundleSpec["crds"],
  read: (path: string) => Promise<string>,
): Promise<SmallFile[]> {
  const names = entryNames(files.map(({ path, name }) => name ?? basename(path)));
  return Promise.all(
    files.map(async ({ path }, at) => ({
      name: `${folder}/${names[at] ?? ""}`,
      // Inside it is read as UTF-8, whatever the editor here has saved.
      bytes: Buffer.from(await read(path)),
    })),
  );
}

/** A bundle has fewer letters for names than a disk, and one folder for what may lie in several. */
function entryNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const plain = plainName(name);
    const dot = plain.lastIndexOf(".");
    const [stem, ending] = dot < 0 ? [plain, ""] : [plain.slice(0, dot), plain.slice(dot, dot + 20)];
    const start = stem.replace(/^[._-]+/, "").slice(0, 75) || "file";
    for (let count = 1; ; count += 1) {
      const entry = `${start}${count === 1 ? "" : `-${count}`}${ending}`;
      if (taken.has(entry)) continue;
      taken.add(entry);
      return entry;
    }
  });
}

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
async function findExecutables(env: Readonly<Record<string, string | undefined>>): Promise<Executables> {
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

const names = ["README.txt", "install.sh"] as const;

/** What a bare host finds first: a text for people, the script that starts the right executable, and its licences. */
export async function bundleExtras(env: Readonly<Record<string, string | undefined>>): Promise<readonly SmallFile[]> {
  const { licences } = await findExecutables(env);
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      bytes: Buffer.from(await readAsset(`manifests/bundle/${name}`)),
      ...(name.endsWith(".sh") ? { mode: 0o755 } : {}),
    })),
  );
  return [...files, ...licences];
}

/** The longest list of digests that a format allows is below this. */
const maxSize = 64 * 1024 ** 2;

export async function readLock(name: string, context: Context): Promise<Lock> {
  const path = resolve(context.cwd, name);
  return parseConfig(await readText(path, maxSize), path, Lock);
}

export async function readRequest(name: string, context: Context): Promise<RepairRequest> {
  const path = resolve(context.cwd, name);
  return parseRequest(await readText(path, maxSize), path);
}

/** What the other side has: said by a list, or by the bundle that was carried there. */
export async function readInventory(name: string, context: Context): Promise<Inventory> {
  const path = resolve(context.cwd, name);
  if (path.endsWith(".json") && !path.endsWith(".volumes.json"))
    return parseInventory(await readText(path, maxSize), path);
  await using bundle = await openBundles(name, [], context);
  return inventoryOf(bundle);
}
