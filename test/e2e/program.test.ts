import { execa } from "execa";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { aTempDirectory } from "../rig/temp-directory.ts";

it("dist/main.mjs runs by its own name from another folder, as npm link and npm install -g leave it", async () => {
  await using folder = await aTempDirectory();
  const manifest = JSON.parse(await readFile("package.json", "utf8")) as { version: string; bin: object };
  const [name, file] = Object.entries(manifest.bin)[0] as [string, string];
  const program = join(folder.path, name);
  await symlink(fileURLToPath(new URL(`../../${file}`, import.meta.url)), program);
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
  const run = (...args: string[]) => execa(program, args, { cwd: folder.path, env, extendEnv: false });
  expect((await run("--version")).stdout).toContain(manifest.version);
  // Its data is found from anywhere, too.
  await run("init", "--release-version", "2.2.4", "--platform", "linux/arm64", "--preset", "all");
  expect(await readFile(join(folder.path, "bundle.yaml"), "utf8")).toContain("linux/arm64");
});

it("the packed package runs where it is unpacked, with Node and nothing else", async () => {
  await using folder = await aTempDirectory();
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder.path };
  const options = { env, extendEnv: false } as const;
  const { stdout } = await execa("npm", ["pack", "--silent", "--pack-destination", folder.path], {
    ...options,
    cwd: root,
  });
  await execa("tar", ["xf", stdout.trim()], { ...options, cwd: folder.path });
  const run = (...args: string[]) =>
    execa(process.execPath, ["package/dist/main.mjs", ...args], { ...options, cwd: folder.path });
  await run("init", "--release-version", "2.2.4", "--platform", "linux/amd64", "--preset", "all");
  await run("site", "init", "--registry-host", "harbor.corp.example", "--project", "higress");
  await writeFile(join(folder.path, "not-a.tar"), "");
  await expect(run("verify", "not-a.tar")).rejects.toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("not-a.tar") as string,
  });
});
