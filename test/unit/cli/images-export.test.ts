import { execa } from "execa";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aBundleFile } from "../../rig/bundle-file.ts";
import { someItems } from "../../rig/bundle-input.ts";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

describe("images export", () => {
  const archive = "higress-2.2.4-images-linux-arm64.tar";

  it("tells every image that lacks the platform, writes the others, and says what to type on a node", async () => {
    await using folder = await aTempDirectory();
    const bundle = await aBundleFile(folder.path);
    const words = ["images", "export", bundle, "--out", "out", "--platform", "linux/arm64"];
    const { code, stdout, stderr } = await runCommand(words, { cwd: folder.path });
    expect(code).toBe(3);
    expect(stderr).toContain("registry.example/higress/console:2.2.4 has no linux/arm64; it has: linux/amd64");
    expect(stdout.split("\n").slice(1, -1)).toEqual(
      ["containerd", "k3s", "rke2", "docker"].map((loader) => `sh load-${loader}.sh`),
    );
    const script = await readFile(join(folder.path, "out/load-rke2.sh"), "utf8");
    const ctr = "/var/lib/rancher/rke2/bin/ctr --address /run/k3s/containerd/containerd.sock -n k8s.io";
    expect(script).toContain(`${ctr} images import ${archive}`);
    expect(script).not.toContain("console");
    const nowhere = ["images", "export", bundle, "--out", "none", "--platform", "linux/s390x"];
    const none = await runCommand(nowhere, { cwd: folder.path });
    expect([none.code, none.stdout]).toEqual([3, ""]);
    await expect(stat(join(folder.path, "none"))).rejects.toThrow("ENOENT");
  });

  it.each([
    { runtime: "docker", warns: true },
    { runtime: "k3s", warns: false },
  ])("asks for images by digest under their digest, which $runtime keeps or is warned of", async (asked) => {
    await using folder = await aTempDirectory();
    const [image] = someItems;
    const pinned = `registry.example/higress/gateway:2.2.4@${image!.seed.root.digest}`;
    const bundle = await aBundleFile(folder.path, "b.tar", { items: [{ ...image!, reference: pinned }] });
    const words = ["images", "export", bundle, "--out", "out", "--platform", "linux/arm64", "--runtime", asked.runtime];
    const { code, stderr } = await runCommand(words, { cwd: folder.path });
    expect(code).toBe(0);
    expect(stderr.includes("reference.digest-lost")).toBe(asked.warns);
    const { stdout } = await execa("tar", ["xOf", join(folder.path, "out", archive), "index.json"]);
    const { manifests } = JSON.parse(stdout) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    const named = manifests.map(({ digest, annotations }) => [annotations["io.containerd.image.name"], digest]);
    expect(named).toEqual([
      ["registry.example/higress/gateway:2.2.4", expect.not.stringContaining(image!.seed.root.digest)],
      [`registry.example/higress/gateway@${image!.seed.root.digest}`, image!.seed.root.digest],
    ]);
  });
});
