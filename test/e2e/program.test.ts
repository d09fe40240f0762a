import { execa } from "execa";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";
import { aTempDirectory } from "../rig/temp-directory.ts";

const root = resolve(import.meta.dirname, "../..");

it("dist/main.mjs runs by its own name from another folder, as npm link and npm install -g leave it", async () => {
  await using folder = await aTempDirectory();
  const manifest = JSON.parse(await readFile("package.json", "utf8")) as { version: string; bin: object };
  const [name, file] = Object.entries(manifest.bin)[0] as [string, string];
  const program = join(folder.path, name);
  await symlink(join(root, file), program);
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
  const run = (...args: string[]) => execa(program, args, { cwd: folder.path, env, extendEnv: false });
  expect((await run("--version")).stdout).toContain(manifest.version);
  // Its data is found from anywhere, too.
  await run("init", "--release-version", "2.2.4", "--platform", "linux/arm64", "--preset", "all");
  expect(await readFile(join(folder.path, "bundle.yaml"), "utf8")).toContain("linux/arm64");
});

it("says that the folder of the shell is gone, as after a stick was pulled out, and calls it no bug", async () => {
  await using folder = await aTempDirectory();
  const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"';
  const command = [process.execPath, join(root, "dist/main.mjs"), "inspect", "x.tar"];
  const { exitCode, stderr } = await execa("sh", ["-c", script, ...command], { cwd: folder.path, reject: false });
  expect(stderr).toContain(`✗ this host: "${join(folder.path, "gone")}" does not exist [FILE_MISSING]`);
  expect(exitCode).toBe(1);
});

it("npm pack in a fresh clone gives a package that runs where it is installed, needs no other, and has its licences", async () => {
  await using folder = await aTempDirectory();
  const clone = join(folder.path, "clone");
  const made = (await readFile(".gitignore", "utf8")).split("\n").filter((line) => line.endsWith("/"));
  const filter = (path: string): boolean => ![...made, ".git/"].includes(`${relative(root, path)}/`);
  await cp(root, clone, { recursive: true, filter });
  await symlink(join(root, "node_modules"), join(clone, "node_modules"));
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder.path };
  const options = { env, extendEnv: false } as const;
  await execa("npm", ["pack", "--pack-destination", folder.path], { ...options, cwd: clone });
  const archive = (await readdir(folder.path)).find((name) => name.endsWith(".tgz")) ?? "";

  const host = join(folder.path, "host");
  await mkdir(host);
  await execa("npm", ["install", "--offline", "--no-audit", "--no-fund", `../${archive}`], { ...options, cwd: host });
  expect(await readdir(join(host, "node_modules"))).toEqual([".bin", ".package-lock.json", "higress-airgap"]);
  const notices = await readFile(join(host, "node_modules/higress-airgap/dist/THIRD-PARTY-NOTICES.txt"), "utf8");
  const manifest = JSON.parse(await readFile("package.json", "utf8")) as { devDependencies: Record<string, string> };
  for (const name of ["undici", "yargs", "zod", "tar", "archiver"])
    expect(notices).toContain(`\n${name} ${manifest.devDependencies[name] ?? ""} (`);
  const run = (...args: string[]) =>
    execa(join(host, "node_modules/.bin/higress-airgap"), args, { ...options, cwd: host });
  await run("init", "--release-version", "2.2.4", "--platform", "linux/amd64", "--preset", "all");
  await run("site", "init", "--registry-host", "harbor.corp.example", "--project", "higress");
  await writeFile(join(host, "not-a.tar"), "");
  await expect(run("verify", "not-a.tar")).rejects.toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("not-a.tar") as string,
  });
});
