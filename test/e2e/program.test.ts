import { execa } from "execa";
import { readFile, symlink } from "node:fs/promises";
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
