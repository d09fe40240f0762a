import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { execa } from "execa";
import { copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { versionLine } from "../../../src/cli/version.ts";
import { runApp } from "../../../src/cli/app.ts";
import { signer, verifySignature } from "../../../src/edge/disk/signature.ts";
import { programFile } from "../../../src/cli/wire/programs.ts";
import { aBundleFile } from "../../rig/bundle-file.ts";
import { someItems } from "../../rig/bundle-input.ts";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";
import { aCertificateAuthority } from "../../rig/tls.ts";

describe("--version", () => {
  it("says what the program is and what it runs on", async () => {
    const { text } = await runApp(["--version"], "1.2.3", "en", () => expect.unreachable());
    expect(text).toBe("1.2.3");
    expect(versionLine({ version: "v20.19.0", platform: "linux", arch: "arm64" })).toMatch(
      /^\S+ \(node 20\.19\.0, linux\/arm64\)$/,
    );
  });
});

describe("keygen", () => {
  it("writes a private key that nobody else can read, and a public one on P-256", async () => {
    await using folder = await aTempDirectory();
    const { stderr } = await runCommand(["keygen", "--out", "release"], { cwd: folder.path });
    expect(stderr).toContain(`saved: ${join(folder.path, "release.pub")}`);
    expect((await stat(join(folder.path, "release"))).mode & 0o777).toBe(0o600);
    const key = createPublicKey(await readFile(join(folder.path, "release.pub"), "utf8"));
    expect([key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve]).toEqual(["ec", "prime256v1"]);
  });

  it("makes a key of SM2 whose signatures OpenSSL 3 takes under the identity of GM/T 0009, and takes those of OpenSSL", async () => {
    await using folder = await aTempDirectory();
    const at = (name: string): string => join(folder.path, name);
    const openssl = (...args: string[]) => execa("openssl", args, { cwd: folder.path, reject: false });
    const identity = ["-sm3", "-sigopt", "distid:1234567812345678"];
    await runCommand(["keygen", "--out", "release", "--algorithm", "sm2"], { cwd: folder.path });
    const sums = Buffer.from("sums of a bundle\n");
    await writeFile(at("sums"), sums);

    const { sign, isSigned } = await signer(at("release"));
    const signature = sign(sums);
    await writeFile(at("sums.sig"), signature);
    expect(signature).toHaveLength(71);
    const check = await openssl("dgst", ...identity, "-verify", "release.pub", "-signature", "sums.sig", "sums");
    expect(check).toMatchObject({ exitCode: 0, stdout: "Verified OK" });

    const key = at("release.pub");
    await openssl("dgst", ...identity, "-sign", "release", "-out", "theirs.sig", "sums");
    const theirs = await readFile(at("theirs.sig"));
    expect([isSigned(sums, theirs), await verifySignature(sums, theirs, key)]).toEqual([true, true]);
    const other = Buffer.from("sums of another\n");
    for (const [what, by] of [
      [other, signature],
      [sums, Buffer.from(signature).fill(0, 40, 50)],
      [sums, Buffer.from("no DER")],
      [sums, Buffer.alloc(0)],
    ] as const)
      expect(await verifySignature(what, by, key)).toBe(false);

    await openssl("pkcs8", "-topk8", "-nocrypt", "-in", "release", "-outform", "der", "-out", "private.der");
    await openssl("pkey", "-in", "release", "-pubout", "-outform", "der", "-out", "public.der");
    const fromDer = (await signer(at("private.der"))).sign(sums);
    expect(await verifySignature(sums, fromDer, at("public.der"))).toBe(true);
  });

  it("leaves no private key beside the public key of another", async () => {
    await using folder = await aTempDirectory();
    await writeFile(join(folder.path, "release.pub"), "theirs");
    await expect(runCommand(["keygen", "--out", "release"], { cwd: folder.path })).rejects.toMatchObject({
      code: "FILE_EXISTS",
    });
    expect(await readdir(folder.path)).toEqual(["release.pub"]);
  });

  it("never replaces a key", async () => {
    await using folder = await aTempDirectory();
    await runCommand(["keygen", "--out", "release"], { cwd: folder.path });
    const key = await readFile(join(folder.path, "release"), "utf8");
    await expect(runCommand(["keygen", "--out", "release"], { cwd: folder.path })).rejects.toMatchObject({
      code: "FILE_EXISTS",
    });
    expect(await readFile(join(folder.path, "release"), "utf8")).toBe(key);
  });
});

describe("a key that cannot sign or check", () => {
  const rsa = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });

  const locked = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });

  it.each([
    ["no PEM at all", "nonsense", "no key"],
    ["a public key", rsa.publicKey, "public key"],
    ["behind a passphrase", locked.privateKey, "passphrase"],
    ["of another algorithm", rsa.privateKey, "rsa"],
  ])("is refused when it is %s, and nothing of it is said", async (_what, pem, why) => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "key");
    await writeFile(path, pem);
    await expect(signer(path)).rejects.toMatchObject({ code: "KEY_UNUSABLE", facts: { path, why } });
  });

  it("is refused as a public key, too, by the name of its file", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "release.pub");
    await writeFile(path, rsa.publicKey);
    const check = verifySignature(Buffer.from("sums"), Buffer.from("signature"), path);
    await expect(check).rejects.toMatchObject({ code: "KEY_UNUSABLE", facts: { path, why: "rsa" } });
  });
});

const aSite = async (folder: string): Promise<void> => {
  await using company = await aCertificateAuthority();
  await copyFile(company.caFile, join(folder, "ca.pem"));
  await writeFile(
    join(folder, "site.yaml"),
    "apiVersion: higress-airgap/v1\nkind: Site\nregistry: { host: harbor.corp, project: higress, ca: ca.pem }\n",
  );
};

describe("node-config", () => {
  it("prints a script for each runtime that a shell accepts", async () => {
    await using folder = await aTempDirectory();
    await aSite(folder.path);
    const { stdout } = await runCommand(["node-config", "--site", "site.yaml"], { cwd: folder.path });
    for (const runtime of ["containerd1", "containerd2", "docker", "k3s", "rke2"])
      expect(stdout).toContain(`# ---- ${runtime} ----\n`);
    expect(stdout).toContain("-----BEGIN CERTIFICATE-----");
    await execa("sh", ["-n"], { input: stdout });
  });

  it("prints only the runtimes that were asked for, one after the other", async () => {
    await using folder = await aTempDirectory();
    await aSite(folder.path);
    const flags = ["--runtime", "k3s", "--runtime", "docker"];
    const { stdout } = await runCommand(["node-config", "--site", "site.yaml", ...flags], { cwd: folder.path });
    expect(stdout.match(/^# ---- .*$/gm)).toEqual(["# ---- docker ----", "# ---- k3s ----"]);
  });

  it("writes the files for a configuration manager with --out", async () => {
    await using folder = await aTempDirectory();
    await aSite(folder.path);
    await runCommand(["node-config", "--site", "site.yaml", "--runtime", "containerd2", "--out", "nodes"], {
      cwd: folder.path,
    });
    const hosts = await readFile(
      join(folder.path, "nodes/containerd2/etc/containerd/certs.d/harbor.corp/hosts.toml"),
      "utf8",
    );
    expect(hosts).toContain("harbor.corp");
  });

  it("names the CA file that is not there", async () => {
    await using folder = await aTempDirectory();
    await aSite(folder.path);
    await writeFile(
      join(folder.path, "site.yaml"),
      (await readFile(join(folder.path, "site.yaml"), "utf8")).replace("ca.pem", "no.pem"),
    );
    await expect(runCommand(["node-config", "--site", "site.yaml"], { cwd: folder.path })).rejects.toMatchObject({
      code: "FILE_MISSING",
      facts: { path: join(folder.path, "no.pem") },
    });
  });
});

describe("inspect and diff", () => {
  it("list what a bundle carries, and write an SBOM of it", async () => {
    await using folder = await aTempDirectory();
    const bundle = await aBundleFile(folder.path);
    const { stdout } = await runCommand(["inspect", bundle], { cwd: folder.path });
    for (const { reference } of someItems) expect(stdout).toContain(reference);
    await runCommand(["inspect", bundle, "--sbom", "sbom.json"], { cwd: folder.path });
    const sbom = JSON.parse(await readFile(join(folder.path, "sbom.json"), "utf8")) as { components: unknown[] };
    expect(sbom.components).toHaveLength(someItems.length);
  });

  it("say in words what changed, in the reader's language", async () => {
    await using folder = await aTempDirectory();
    const old = await aBundleFile(folder.path, "old.tar");
    const fewer = await aBundleFile(folder.path, "new.tar", { items: someItems.slice(0, 2) });
    const english = await runCommand(["diff", old, fewer], { cwd: folder.path });
    expect(english.stdout).toContain("- plugin registry.example/plugins/key-auth:2.0.0\n");
    expect(english.stdout).toContain("added 0, removed 1, changed 0, unchanged 2\n");
    const chinese = await runCommand(["diff", old, old], { cwd: folder.path, language: "zh" });
    expect(chinese.stdout).toContain("没有差异：两者内容相同\n");
    await runCommand(["diff", old, fewer, "--html", "diff.html"], { cwd: folder.path });
    const html = await readFile(join(folder.path, "diff.html"), "utf8");
    expect(html.replaceAll("<wbr>", "")).toContain("plugins/key-auth");
  });
});

describe("serve", () => {
  it.each([
    ["a certificate that is empty", ["--tls-cert", "empty", "--tls-key", "empty"], "CONFIG_INVALID"],
    ["a password that is empty", ["--login-user", "me", "--login-password-file", "empty"], "CREDENTIALS_UNUSABLE"],
  ])("begins with no %s", async (_what, flags, code) => {
    await using folder = await aTempDirectory();
    await writeFile(join(folder.path, "empty"), "");
    const words = ["serve", await aBundleFile(folder.path), "--port", "0", ...flags];
    await expect(runCommand(words, { cwd: folder.path })).rejects.toMatchObject({ code });
  });
});

it("a program for bin/ is a file: a device has no end, and a pipe nobody who writes", async () => {
  for (const path of ["/dev/zero", "/dev"])
    await expect(programFile("bin/helm-linux-amd64", { path })).rejects.toMatchObject({ code: "FILE_KIND" });
});
