import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../model/failure.ts";

/**
 * Data that ships with the program, by its path in the repository: `manifests/higress/gateways.yaml`. In a single
 * executable it is an asset of the binary, elsewhere a file above the module.
 * @throws Failure FILE_MISSING
 */
export async function readAsset(name: string): Promise<string> {
  const embedded = embeddedAsset(name);
  if (embedded !== undefined) return embedded;
  for (
    let folder = dirname(fileURLToPath(import.meta.url)), depth = 0;
    depth < 5;
    folder = dirname(folder), depth += 1
  ) {
    const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Failure("FILE_MISSING", { path: name });
}

interface Sea {
  isSea(): boolean;
  getAsset(name: string, encoding: "utf8"): string;
}

function embeddedAsset(name: string): string | undefined {
  try {
    return isSingleExecutable() ? sea().getAsset(name, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** Whether program, data and Node are one file, which is then `process.execPath`. */
export function isSingleExecutable(): boolean {
  try {
    return sea().isSea();
  } catch {
    return false;
  }
}

/** `node:sea` is there from Node 20.12 on. */
function sea(): Sea {
  return createRequire(import.meta.url)("node:sea") as Sea;
}
