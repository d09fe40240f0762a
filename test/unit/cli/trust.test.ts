import { execa } from "execa";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { commands as commandTable } from "../../../src/cli/commands/table.ts";
import { findTool } from "../../../src/cli/wire/tools.ts";
import type { Context } from "../../../src/cli/context.ts";
import { keygen, signer } from "../../../src/edge/disk/signature.ts";
import { openSource } from "../../../src/edge/disk/open-source.ts";
import { openBundle } from "../../../src/stages/bundle/open.ts";
import { aBundleFile } from "../../rig/bundle-file.ts";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

const architecture = process.arch === "x64" ? "amd64" : process.arch;
const carried = `bin/helm-linux-${architecture}`;

async function aFolder(): Promise<string> {
  const folder = await aTempDirectory();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

/** A folder as `tar xf BUNDLE install.sh bin SHA256SUMS SHA256SUMS.sig` leaves it, the sums signed by `release`. */
async function anUnpacked(): Promise<string> {
  const folder = await aFolder();
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, carried), "#!/bin/sh\necho v3.17.0\n", { mode: 0o755 });
  await copyFile("manifests/bundle/install.sh", join(folder, "install.sh"));
  const { stdout } = await execa("sh", ["-c", `sha256sum install.sh ${carried}`], { cwd: folder });
  await writeFile(join(folder, "SHA256SUMS"), `${stdout}\n`);
  await keygen(join(folder, "release"));
  await keygen(join(folder, "theirs"));
  const { sign } = await signer(join(folder, "release"));
  await writeFile(join(folder, "SHA256SUMS.sig"), sign(await readFile(join(folder, "SHA256SUMS"))));
  return folder;
}

const contextAt = (cwd: string, path = ""): Context => ({ cwd, env: { PATH: path } }) as unknown as Context;
const untrusted = (why: RegExp) => ({
  code: "PROGRAM_UNTRUSTED",
  facts: { why: expect.stringMatching(why) as string },
});

describe("a program out of a bundle", () => {
  it("is started when the sums know it, signed or without a key", async () => {
    const folder = await anUnpacked();
    for (const keys of [[], ["release.pub"], ["theirs.pub", "release.pub"]])
      expect(await findTool("helm", { keys }, contextAt(folder))).toBe(join(folder, carried));
  });

  it.each<[string, (folder: string) => Promise<unknown>, readonly string[], RegExp]>([
    ["changed", (at) => writeFile(join(at, carried), "#!/bin/sh\nevil\n"), [], /^sha256 .*, SHA256SUMS /],
    ["without sums", (at) => rm(join(at, "SHA256SUMS")), [], /^SHA256SUMS: ENOENT/],
    ["not in the sums", (at) => writeFile(join(at, "SHA256SUMS"), `${"0".repeat(64)}  x\n`), [], /: -$/],
    ["unsigned", (at) => rm(join(at, "SHA256SUMS.sig")), ["release.pub"], /^SHA256SUMS\.sig: ENOENT/],
    ["signed by others", () => Promise.resolve(), ["theirs.pub"], /^SHA256SUMS\.sig ≠ theirs\.pub/],
    [
      "changed together with its sums",
      async (at) => {
        await writeFile(join(at, carried), "#!/bin/sh\nevil\n");
        const { stdout } = await execa("sh", ["-c", `sha256sum ${carried}`], { cwd: at });
        await writeFile(join(at, "SHA256SUMS"), `${stdout}\n`);
      },
      ["release.pub"],
      /^SHA256SUMS\.sig ≠/,
    ],
  ])("is not started when it is %s", async (_what, change, keys, why) => {
    const folder = await anUnpacked();
    await change(folder);
    for (const named of [undefined, carried]) {
      // What somebody names outside an unpacked bundle is his own to vouch for.
      if (named !== undefined && /ENOENT/.test(String(why)) && !keys.length) continue;
      await expect(findTool("helm", { named, keys }, contextAt(folder))).rejects.toMatchObject(untrusted(why));
    }
  });

  it("is held against the sums through a link on PATH, too; the host's own programs are not", async () => {
    const folder = await anUnpacked();
    const path = join(folder, "path");
    await mkdir(path);
    await symlink(join(folder, carried), join(path, "helm"));
    expect(await findTool("helm", {}, contextAt(folder, path))).toBe(join(path, "helm"));
    await writeFile(join(folder, carried), "#!/bin/sh\nevil\n");
    await expect(findTool("helm", {}, contextAt(folder, path))).rejects.toMatchObject(untrusted(/^sha256/));
    await rm(join(path, "helm"));
    await writeFile(join(path, "helm"), "#!/bin/sh\n", { mode: 0o755 });
    expect(await findTool("helm", { keys: ["theirs.pub"] }, contextAt(folder, path))).toBe(join(path, "helm"));
  });

  it("is checked by the lines of every quick start, with the openssl of this host", async () => {
    const pages = [
      "README.md",
      "README.zh-CN.md",
      "docs/en/quick-start.md",
      "docs/zh/quick-start.md",
      "manifests/bundle/README.txt",
    ];
    const lines = /^ *(openssl dgst [^#(\n]*?|sha256sum -c --ignore-missing [^#(\n]*?)(?: *[#(].*)?$/gm;
    for (const page of pages) {
      // A quick start checks the program's own release by such lines first; a bundle comes after it.
      const found = [...(await readFile(page, "utf8")).matchAll(lines)].map(([, line = ""]) => line).slice(-2);
      expect(found, page).toHaveLength(2);
      const check = async (folder: string) =>
        execa("sh", ["-ec", found.join("\n")], { cwd: folder, reject: false, all: true });
      const good = await anUnpacked();
      expect(await check(good), page).toMatchObject({
        exitCode: 0,
        all: expect.stringContaining(`Verified OK\ninstall.sh: OK\n${carried}: OK`) as string,
      });
      await writeFile(join(good, carried), "evil");
      expect((await check(good)).exitCode, page).not.toBe(0);
      const forged = await anUnpacked();
      await writeFile(join(forged, "SHA256SUMS"), "forged\n");
      expect((await check(forged)).exitCode, page).not.toBe(0);
    }
  });
});

const site = (keys: readonly string[]): string =>
  JSON.stringify({
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: { host: "harbor.corp.example", project: "higress" },
    trustKeys: keys,
  });

describe("a bundle that somebody changed", () => {
  let folder = "";
  beforeAll(async () => {
    const directory = await aTempDirectory();
    folder = directory.path;
    await keygen(join(folder, "release"));
    const path = await aBundleFile(folder, "good.tar", await signer(join(folder, "release")));
    const bytes = await readFile(path);
    await using bundle = await openBundle(await openSource(path));
    const place = bundle.entries.get("README.txt");
    if (place === undefined) throw new Error("no README.txt");
    bytes.writeUInt8(bytes.readUInt8(place.offset) ^ 1, place.offset);
    await writeFile(join(folder, "bad.tar"), bytes);
    await writeFile(join(folder, "site.yaml"), site(["release.pub"]));
    await writeFile(join(folder, "open.yaml"), site([]));
    return () => directory[Symbol.asyncDispose]();
  });

  const commands: readonly { readonly words: readonly string[] }[] = [
    ["push", "bad.tar"],
    ["preflight", "bad.tar"],
    ["render", "bad.tar"],
    ["check", "bad.tar"],
    ["inventory", "bad.tar", "--out", "inventory.json"],
    ["plugins", "enable", "bad.tar", "--name", "key-auth"],
    ["plugins", "check", "bad.tar"],
    ["plugins", "export", "bad.tar", "--directory", "out"],
    ["images", "export", "bad.tar", "--out", "out"],
    ["standalone", "bad.tar", "--out", "out"],
    ["serve", "bad.tar", "--port", "0"],
    ["install", "bad.tar", "--skip", "verify"],
    ["status", "bad.tar"],
    ["plugins", "list", "bad.tar"],
    ["site", "form", "bad.tar"],
  ].map((words) => ({ words }));

  it("is a case here for every command that takes a bundle and a key; verify and repair look at all of it anyway", () => {
    const asked = commandTable.filter(({ flags }) => "bundle" in flags && "key" in flags).map(({ name }) => name);
    const cases = commands.map(({ words }) => words.slice(0, words.indexOf("bad.tar")).join(" "));
    expect([...cases, "verify", "repair"].toSorted()).toEqual(asked.toSorted());
  });

  it("is refused by plugins list, also without a site", async () => {
    const words = ["plugins", "list", "bad.tar", "--key", "release.pub"];
    await expect(runCommand(words, { cwd: folder })).rejects.toMatchObject({ code: "FINDINGS" });
  });

  it("is none that plugins list needs where there is a site.yaml: the cluster is what it asks then", async () => {
    const run = runCommand(["plugins", "list", "--helm", "/nowhere/helm"], { cwd: folder });
    await expect(run).rejects.toMatchObject({ code: "TOOL_MISSING" });
    const empty = await aFolder();
    await expect(runCommand(["plugins", "list"], { cwd: empty })).rejects.toMatchObject({
      code: "USAGE",
      facts: { wanted: "BUNDLE, --site site.yaml" },
    });
  });

  it.each(commands)("is refused by $words, whatever it would have read of it", async ({ words }) => {
    for (const trust of [
      ["--site", "site.yaml"],
      ["--site", "open.yaml", "--key", "release.pub"],
    ])
      await expect(runCommand([...words, ...trust], { cwd: folder })).rejects.toMatchObject({ code: "FINDINGS" });
  });

  it("is refused by verify, with the keys of a site", async () => {
    const { code } = await runCommand(["verify", "bad.tar", "--site", "site.yaml"], { cwd: folder });
    expect(code).toBe(3);
    await aBundleFile(folder, "unsigned.tar");
    await expect(runCommand(["verify", "unsigned.tar", "--site", "site.yaml"], { cwd: folder })).rejects.toMatchObject({
      code: "BUNDLE_UNSIGNED",
    });
  });
});
