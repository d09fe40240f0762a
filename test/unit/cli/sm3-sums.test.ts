import { execa } from "execa";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { bundleOutput } from "../../../src/edge/disk/bundle-output.ts";
import { keygen, signer } from "../../../src/edge/disk/signature.ts";
import { writeSm3Sums } from "../../../src/edge/disk/sm3-sums.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import { aPackInput, someFiles } from "../../rig/bundle-input.ts";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

const onStart = (): void => undefined;

/** A bundle with SM3 sums beside it, both signed by `release`; another key beside them. */
async function aCarriedBundle({ volumeSize }: { readonly volumeSize?: number } = {}): Promise<string> {
  const folder = await aTempDirectory();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const path = join(folder.path, "higress.tar");
  for (const name of ["release", "theirs"]) await keygen(join(folder.path, name), "sm2");
  const { sign, isSigned } = await signer(join(folder.path, "release"));
  await pack(aPackInput({ files: someFiles.slice(0, 2), sign, isSigned }), bundleOutput(path, { volumeSize }));
  await writeSm3Sums(path, { sign, onStart });
  return folder.path;
}

const found = (stderr: string): readonly string[] =>
  [...stderr.matchAll(/\[(bundle\.[a-z0-9-]+)\] (\S+)/g)].map(([, code = "", name = ""]) => `${code} ${name}`);

async function verify(cwd: string, ...flags: readonly string[]) {
  const { code, stderr } = await runCommand(["verify", "higress.tar", ...flags], { cwd });
  return { code, found: found(stderr) };
}

const sound = { code: 0, found: [] };

describe("NAME.tar.SM3SUMS", () => {
  it.each([[undefined], [8192]])("is what openssl says of each file, in volumes of %s bytes", async (volumeSize) => {
    const cwd = await aCarriedBundle({ ...(volumeSize === undefined ? {} : { volumeSize }) });
    const files = (await readdir(cwd)).filter((name) => /^higress\.(tar|tar\.\d+|volumes\.json)$/.test(name)).sort();
    expect(files.length).toBeGreaterThan(volumeSize === undefined ? 0 : 2);
    const { stdout } = await execa("openssl", ["dgst", "-sm3", "-r", ...files], { cwd });
    const sums = await readFile(join(cwd, "higress.tar.SM3SUMS"), "utf8");
    expect(sums).toBe(`${stdout.replaceAll(" *", "  ")}\n`);
    const check = ["-sigopt", "distid:1234567812345678", "-verify", "release.pub", "-signature"];
    const checked = await execa(
      "openssl",
      ["dgst", "-sm3", ...check, "higress.tar.SM3SUMS.sig", "higress.tar.SM3SUMS"],
      {
        cwd,
      },
    );
    expect(checked.stdout).toBe("Verified OK");
    expect(await verify(cwd, "--sums", "sm3", "--key", "release.pub")).toEqual(sound);
  });

  it("is checked where it lies, and asked for only by --sums", async () => {
    const cwd = await aCarriedBundle();
    const sums = join(cwd, "higress.tar.SM3SUMS");
    expect(await verify(cwd)).toEqual(sound);
    await writeFile(
      sums,
      (await readFile(sums, "utf8")).replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
    );
    expect(await verify(cwd)).toEqual({ code: 3, found: ["bundle.file-damaged higress.tar"] });
    expect(await verify(cwd, "--quick")).toEqual(sound);
    await rm(sums);
    expect(await verify(cwd)).toEqual(sound);
    expect(await verify(cwd, "--sums", "sm3")).toEqual({
      code: 3,
      found: ["bundle.sm3-sums-unusable higress.tar.SM3SUMS"],
    });
    await expect(verify(cwd, "--sums", "sm3", "--quick")).rejects.toMatchObject({ code: "USAGE" });
  });

  it("names a file that it lists and that is not there", async () => {
    const cwd = await aCarriedBundle();
    const sums = join(cwd, "higress.tar.SM3SUMS");
    await writeFile(sums, `${await readFile(sums, "utf8")}${"0".repeat(64)}  higress.volumes.json\n`);
    expect(await verify(cwd, "--sums", "sm3")).toEqual({
      code: 3,
      found: ["bundle.sm3-sums-unusable higress.tar.SM3SUMS"],
    });
  });

  it("finds what SHA-256 finds, too, and goes into the report", async () => {
    const cwd = await aCarriedBundle();
    const bytes = await readFile(join(cwd, "higress.tar"));
    const at = bytes.indexOf("Read me.");
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(join(cwd, "higress.tar"), bytes);
    expect(await verify(cwd, "--key", "release.pub", "--report", "report.json")).toEqual({
      code: 3,
      found: ["bundle.file-damaged higress.tar", "bundle.file-damaged README.txt"],
    });
    const { stdout } = await execa("openssl", ["dgst", "-sm3", "-r", "higress.tar"], { cwd });
    expect(JSON.parse(await readFile(join(cwd, "report.json"), "utf8"))).toMatchObject({
      verdict: "damaged",
      sm3: {
        file: "higress.tar.SM3SUMS",
        files: { "higress.tar": stdout.slice(0, 64) },
        verifiedWith: join(cwd, "release.pub"),
      },
    });
  });

  it("must be signed as its bundle is, once a key is configured", async () => {
    const cwd = await aCarriedBundle();
    const signature = join(cwd, "higress.tar.SM3SUMS.sig");
    const { sign } = await signer(join(cwd, "theirs"));
    await writeFile(signature, sign(await readFile(join(cwd, "higress.tar.SM3SUMS"))));
    await expect(verify(cwd, "--key", "release.pub")).rejects.toMatchObject({
      code: "SIGNATURE_WRONG",
      facts: { path: join(cwd, "higress.tar.SM3SUMS") },
    });
    await rm(signature);
    expect(await verify(cwd, "--key", "release.pub")).toEqual({
      code: 3,
      found: ["bundle.sm3-sums-unusable higress.tar.SM3SUMS.sig"],
    });
    expect(await verify(cwd)).toEqual(sound);
  });

  it.each([
    ["", '1: ""'],
    ["no sum\n", '1: "no sum"'],
    [`${"0".repeat(64)}  ../higress.tar\n`, `1: "${"0".repeat(64)}  ../higress.t`],
    [`${"0".repeat(64)}  x\n${"1".repeat(64)}  x\n`, `2: "${"1".repeat(64)}  x"`],
    [`${"0".repeat(64)}  other.tar\n`, "higress.tar: -"],
  ])("is said to be unusable when it says %j", async (text, why) => {
    const cwd = await aCarriedBundle();
    await writeFile(join(cwd, "higress.tar.SM3SUMS"), text);
    const { code, stderr } = await runCommand(["verify", "higress.tar"], { cwd });
    expect({ code, said: stderr.includes(`higress.tar.SM3SUMS beside the bundle cannot be used: ${why}`) }).toEqual({
      code: 3,
      said: true,
    });
  });

  it("does not outlive the bundle that it is of", async () => {
    const cwd = await aCarriedBundle();
    const path = join(cwd, "higress.tar");
    const sumsIn = async () => (await readdir(cwd)).filter((name) => name.includes("SM3"));
    await rm(path);
    await expect(bundleOutput(path).refuse(() => Promise.resolve(false))).rejects.toMatchObject({
      code: "FILE_EXISTS",
      facts: { path: `${path}.SM3SUMS` },
    });
    await bundleOutput(path, { overwrite: true }).refuse(() => Promise.resolve(false));
    expect(await sumsIn()).toHaveLength(2);
    await pack(aPackInput({}), bundleOutput(path, { overwrite: true }));
    expect(await sumsIn()).toEqual([]);
    expect(basename(await writeSm3Sums(path, { onStart }))).toBe("higress.tar.SM3SUMS");
    expect(await sumsIn()).toEqual(["higress.tar.SM3SUMS"]);
  });
});
