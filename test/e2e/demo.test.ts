import { execa } from "execa";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { aTempDirectory } from "../rig/temp-directory.ts";

const script = fileURLToPath(new URL("../../scripts/demo.sh", import.meta.url));

/** Runs the demo in `folder` with this environment and nothing else. */
async function demo(folder: string, env: Readonly<Record<string, string>>) {
  const options = { cwd: dirname(folder), env: { HOME: dirname(folder), ...env }, extendEnv: false, reject: false };
  const { exitCode, stdout, stderr } = await execa(script, [folder], { ...options, stdin: "ignore" });
  return { exitCode, stdout, stderr, all: `${stdout}\n${stderr}` };
}

/** A PATH on which only what a newcomer surely has can be found. */
async function sparsePath(folder: string): Promise<string> {
  const programs = ["sh", "dirname", "find"].map((name) => [name, `/usr/bin/${name}`] as const);
  const npm = join(dirname(process.execPath), "npm");
  for (const [name, target] of [...programs, ["npm", npm], ["node", process.execPath]] as const)
    await symlink(target, join(folder, name));
  return folder;
}

const commands = (text: string) => text.split("\n").flatMap((line) => /^\$ (\S+ \S+)/.exec(line)?.[1] ?? []);

describe("scripts/demo.sh", () => {
  it("does the whole job on its own registry where nothing is installed, and says what came of it", async () => {
    await using path = await aTempDirectory();
    await using place = await aTempDirectory();
    const folder = join(place.path, "demo");
    // No control plane either: the install is rendered and proven instead.
    const { exitCode, stdout, all } = await demo(folder, {
      PATH: await sparsePath(path.path),
      KUBE_BINARY: join(path.path, "none"),
    });
    expect(exitCode, all).toBe(0);
    expect(commands(stdout)).toEqual([
      "higress-airgap build",
      "cp connected/higress-2.2.4.tar",
      "higress-airgap inspect",
      "higress-airgap verify",
      "higress-airgap push",
      "higress-airgap render",
      "higress-airgap serve",
      "curl -I",
    ]);
    expect(stdout).toContain("(in memory)");
    expect(stdout).not.toContain("docker-registry");
    expect(stdout).toMatch(/^ {2}packed +7 images, 4 plugins and 1 chart in one file of /m);
    expect(stdout).toMatch(/^ {2}proven +[6-9] image references would be applied, none points outside/m);
    expect(stdout).toMatch(
      /^ {2}served +registry\.higress\.example\/higress\/gateway:1\.0\.0 straight from the file, same digest/m,
    );
    expect(stdout).not.toMatch(/\{[a-z]+\}/i);
    const proof: unknown = JSON.parse(await readFile(join(folder, "closed/rendered/proof.json"), "utf8"));
    expect(proof).toMatchObject({ findings: [] });
  });

  it("uses what the machine has, and speaks Chinese where the locale is", async () => {
    await using place = await aTempDirectory();
    const { exitCode, stdout, all } = await demo(join(place.path, "demo"), {
      PATH: process.env["PATH"] ?? "",
      LANG: "zh_CN.UTF-8",
    });
    expect(exitCode, all).toBe(0);
    expect(stdout).toMatch(/^== 完成，用时 /m);
    expect(stdout).toMatch(/^ {2}(安装|证明) +(集群拉取了|将应用) \d/m);
    expect(stdout).not.toMatch(/\{[a-z]+\}/i);
  });

  it("leaves a folder alone that has something in it, and says so", async () => {
    await using place = await aTempDirectory();
    await writeFile(join(place.path, "mine"), "");
    const { exitCode, stdout } = await demo(place.path, { PATH: process.env["PATH"] ?? "" });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`${place.path} is not empty`);
  });
});
