import { execa } from "execa";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { barePath } from "../rig/bare-path.ts";
import { aFarSide, farSideUnavailable, password } from "../rig/far-side.ts";
import { aDockerRegistry } from "../rig/registry-process.ts";
import { sampleContent, writeSampleSpec } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { shellBlocks, shellLines } from "../rig/shell-lines.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const notBuilt = existsSync("dist-exe/higress-airgap-linux-amd64") ? undefined : "no dist-exe: npm run build:exe";
const unavailable = notBuilt ?? (process.arch === "x64" ? farSideUnavailable() : `this is ${process.arch}`);
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

/** The editor of a host: what it leaves in the file is given. */
async function anEditor(folder: string, text: string): Promise<string> {
  const path = join(folder, "editor");
  await writeFile(`${path}.text`, text);
  await writeFile(path, `#!/bin/sh\n[ -s "$1" ] || exit 1\ncat ${path}.text > "$1"\n`, { mode: 0o755 });
  return path;
}

/** A host whose PATH has a shell, coreutils, tar and openssl, and what is linked besides. */
async function aHost(folder: string, name: string, programs: Readonly<Record<string, string>>): Promise<string> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true });
  const path = await barePath(home);
  for (const tool of ["cp", "ln", "openssl"]) await symlink((await execa("which", [tool])).stdout, join(path, tool));
  for (const [tool, from] of Object.entries(programs)) await symlink(from, join(path, tool));
  return path;
}

/** Types a block of a page, line by line, until one fails. */
async function typed(block: string, cwd: string, env: Record<string, string>): Promise<string> {
  const { exitCode, all } = await execa("sh", ["-exc", block], {
    ...{ cwd, env: { HOME: cwd, LANG: "C.UTF-8", ...env }, extendEnv: false, reject: false, stdin: "ignore" },
    all: true,
  });
  expect(exitCode, all).toBe(0);
  return all;
}

async function release(folder: string, key: string): Promise<void> {
  await execa("node", ["scripts/release.mjs", "--draft", "--out", folder, "--sign-key", key]);
}

describe.skipIf(unavailable !== undefined)(`the lines of docs/en/quick-start.md${because}`, () => {
  it("lead from a release to a gateway in a closed network, on hosts that have nothing", async () => {
    const page = await readFile("docs/en/quick-start.md", "utf8");
    const [connected = "", airgapped = ""] = shellBlocks(page);
    expect(shellLines(page).length).toBeGreaterThan(20);
    await using directory = await aTempDirectory();
    const { path: folder } = directory;
    const at = { release: join(folder, "release"), stick: join(folder, "stick"), key: join(folder, "maintainers") };
    await mkdir(at.stick);
    await execa("node", ["dist/main.mjs", "keygen", "--out", at.key]);
    await release(at.release, at.key);
    await copyFile(`${at.key}.pub`, join(at.release, "maintainers.pub"));
    const { helm, kubectl } = await tools("4.1");
    {
      await using source = await aDockerRegistry();
      await seed(source.url, sampleContent());
      const sample = JSON.parse(await readFile(await writeSampleSpec(folder, source.url), "utf8")) as object;
      const spec = {
        ...sample,
        tools: { "helm-linux-amd64": { path: helm }, "kubectl-linux-amd64": { path: kubectl } },
      };
      const PATH = await aHost(folder, "connected", { helm });
      const EDITOR = await anEditor(join(folder, "connected"), JSON.stringify(spec));
      const said = await typed(connected.replaceAll("/media/stick", at.stick), at.release, { PATH, EDITOR });
      expect(said).toContain("Verified OK");
      expect(said).toContain("higress-airgap-linux-arm64: OK");
    }
    // From here on nothing is left of the connected host but the stick, and the key that came another way.
    expect(await readdir(at.stick)).toEqual(["higress-2.2.4.tar"]);
    await using far = await aFarSide();
    await copyFile(join(at.release, "release.pub"), join(far.folder, "release.pub"));
    const site = JSON.parse(await readFile(await far.writeSite({ trustKeys: ["release.pub"] }), "utf8")) as object;
    const PATH = await aHost(folder, "airgapped", {});
    const EDITOR = await anEditor(join(folder, "airgapped"), JSON.stringify(site));
    await execa("rm", [far.site]);
    const said = await typed(airgapped.replaceAll("/media/stick", at.stick), far.folder, { PATH, EDITOR });
    expect(said).toContain("Verified OK");
    expect(said).not.toContain(password);
  });
});

describe.skipIf(notBuilt !== undefined)(
  `npm run release${notBuilt === undefined ? "" : ` (not run: ${notBuilt})`}`,
  () => {
    it("makes the same bytes again, which name what is in them, and a package that needs no other", async () => {
      await using directory = await aTempDirectory();
      const key = join(directory.path, "maintainers");
      await execa("node", ["dist/main.mjs", "keygen", "--out", key]);
      const [first, second] = [join(directory.path, "first"), join(directory.path, "second")];
      await release(first, key);
      await release(second, key);
      const sums = await readFile(join(first, "SHA256SUMS"), "utf8");
      expect(await readFile(join(second, "SHA256SUMS"), "utf8")).toBe(sums);
      const listed = sums
        .trim()
        .split("\n")
        .map((line) => line.slice(66));
      expect((await readdir(first)).sort()).toEqual([...listed, "SHA256SUMS", "SHA256SUMS.sig"].sort());
      expect(await readFile(join(first, "CHANGES.md"), "utf8")).toMatch(/^## \[[^]+^### /m);

      const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
      const sbom = JSON.parse(await readFile(join(first, `higress-airgap-${version}.cdx.json`), "utf8")) as {
        components: { name: string; version: string; hashes?: { content: string }[] }[];
      };
      const notices = await readFile(join(first, "THIRD-PARTY-NOTICES.txt"), "utf8");
      const told = [...notices.matchAll(/^={80}\n(\S+) (\S+) \(/gm)].map(([, name = "", of = ""]) => `${name}@${of}`);
      const named = sbom.components.map((each) => `${each.name}@${each.version}`);
      expect(named).toEqual([expect.stringMatching(/^node@/), ...told]);
      expect(
        sbom.components.slice(1).filter(({ hashes }) => !/^[0-9a-f]{128}$/.test(hashes?.[0]?.content ?? "")),
      ).toEqual([]);

      await execa("tar", ["xf", join(first, `higress-airgap-${version}.tgz`)], { cwd: directory.path });
      const { stdout } = await execa("node", ["package/dist/main.mjs", "--version"], { cwd: directory.path });
      expect(stdout).toContain(version);
      await expect(release(first, key)).rejects.toThrow("a release is not replaced");
    });
  },
);
