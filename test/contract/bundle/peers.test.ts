import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { bundleOutput } from "../../../src/edge/disk/bundle-output.ts";
import { keygen, signer } from "../../../src/edge/disk/signature.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import { becauseOfOwner, skopeoMayNotChown } from "../../rig/archive-owner.ts";
import { aPackInput, someItems } from "../../rig/bundle-input.ts";
import { aTempDirectory, type TempDirectory } from "../../rig/temp-directory.ts";

const run = promisify(execFile);

interface Packed extends TempDirectory {
  readonly bundle: string;
  readonly key: string;
}

async function aSignedBundle(): Promise<Packed> {
  const directory = await aTempDirectory();
  const bundle = join(directory.path, "higress.tar");
  const { privateKey, publicKey } = await keygen(join(directory.path, "key"));
  await pack(aPackInput({ ...(await signer(privateKey)) }), bundleOutput(bundle));
  return { ...directory, bundle, key: publicKey };
}

/** The promise that nobody is locked in: what is packed here is read by programs that never heard of it. */
describe("a bundle is read without this tool", () => {
  it("by tar and sha256sum", async () => {
    await using packed = await aSignedBundle();
    await run("tar", ["xf", packed.bundle, "-C", packed.path]);
    const { stdout } = await run("sha256sum", ["-c", "SHA256SUMS"], { cwd: packed.path });
    const lines = stdout.trim().split("\n");
    const { stdout: listing } = await run("tar", ["tf", packed.bundle]);
    expect(lines.filter((line) => !line.endsWith(": OK"))).toEqual([]);
    expect(lines).toHaveLength(listing.trim().split("\n").length - 2);
  });

  it("by tar, for what a bare host needs first, with modes and owner", async () => {
    await using packed = await aSignedBundle();
    const { stdout } = await run("tar", ["tvf", packed.bundle, "--numeric-owner", "install.sh", "README.txt"], {
      env: { TZ: "UTC", LC_ALL: "C" },
    });
    expect(stdout).toMatch(
      /-rw-r--r-- 0\/0 +9 2026-01-02 03:04 README.txt\n-rwxr-xr-x 0\/0 +10 2026-01-02 03:04 install.sh/,
    );
  });

  it("by openssl, for its signature", async () => {
    await using packed = await aSignedBundle();
    await run("tar", ["xf", packed.bundle, "-C", packed.path, "SHA256SUMS", "SHA256SUMS.sig"]);
    const args = ["dgst", "-sha256", "-verify", packed.key, "-signature", "SHA256SUMS.sig", "SHA256SUMS"];
    const { stdout } = await run("openssl", args, { cwd: packed.path });
    expect(stdout.trim()).toBe("Verified OK");
  });

  it("by python's tarfile", async () => {
    await using packed = await aSignedBundle();
    const { stdout } = await run("python3", ["-m", "tarfile", "-l", packed.bundle]);
    expect(stdout.split("\n").map((line) => line.trim())).toContain("SHA256SUMS.sig");
  });

  it.skipIf(skopeoMayNotChown).each(someItems.filter(({ kind }) => kind === "image"))(
    `by skopeo, for $reference${becauseOfOwner}`,
    async ({ reference, seed }) => {
      await using packed = await aSignedBundle();
      const source = `oci-archive:${packed.bundle}:${reference}`;
      const { stdout } = await run("skopeo", ["inspect", "--raw", source], { encoding: "buffer" });
      expect(stdout).toEqual(Buffer.from(seed.blobs.get(seed.root.digest) ?? []));
      const target = join(packed.path, "copied");
      await run("skopeo", ["copy", "--all", "--preserve-digests", source, `dir:${target}`]);
      expect(await readFile(join(target, "manifest.json"))).toEqual(
        Buffer.from(seed.blobs.get(seed.root.digest) ?? []),
      );
    },
  );

  it("by skopeo and umoci as an OCI layout, once unpacked", async () => {
    await using packed = await aSignedBundle();
    await run("tar", ["xf", packed.bundle, "-C", packed.path]);
    const reference = someItems[1]?.reference ?? "";
    await run("skopeo", ["inspect", `oci:${packed.path}:${reference}`]);
  });
});
