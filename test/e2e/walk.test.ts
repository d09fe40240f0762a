import { execa } from "execa";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { barePath } from "../rig/bare-path.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { aFarSide, farSideUnavailable, password, type FarSide } from "../rig/far-side.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";
import { expectOnPage, screenOf, steadyOrder } from "../rig/transcript.ts";

const executables = resolve("dist-exe");
const notBuilt = existsSync(join(executables, "higress-airgap-linux-amd64"))
  ? undefined
  : "no dist-exe: npm run build:exe";
const unavailable = notBuilt ?? (process.arch === "x64" ? farSideUnavailable() : `this is ${process.arch}`);
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

const stick = "/media/stick";
const bundle = `${stick}/higress-2.2.4.tar`;
const own = `${bundle} --site site.yaml`;
/** The evening, as it is typed. */
const evening = [
  `tar xf ${bundle} install.sh bin SHA256SUMS`,
  `./install.sh --version`,
  `./install.sh inspect ${bundle}`,
  `./install.sh verify ${bundle}`,
  `./install.sh preflight ${own}`,
  `./install.sh push ${own} --dry-run`,
  `./install.sh install ${own}`,
  `./install.sh plugins list ${bundle}`,
  `./install.sh check ${own}`,
  `./install.sh plugins enable ${own} --name cors`,
  `./install.sh install ${own}`,
  `./install.sh rollback --site site.yaml --yes`,
  `./install.sh uninstall --site site.yaml --yes`,
] as const;

/** A host with a shell and tar: the stick, and a folder to work in. */
interface BareHost {
  readonly far: FarSide;
  readonly stick: string;
  readonly path: string;
}

async function type(line: string, { far, stick: mounted, path }: BareHost, language: string): Promise<string> {
  const real = line.replaceAll(stick, mounted);
  const env = { PATH: path, HOME: far.folder, LANG: language === "zh" ? "zh_CN.UTF-8" : "C.UTF-8" };
  const { stdout, stderr, exitCode } = await execa("sh", ["-c", real], {
    cwd: far.folder,
    env,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  expect(`${stdout}${stderr}`).not.toContain(password);
  expect(exitCode, `${line}\n${stderr}\n${stdout}`).toBe(0);
  return screenOf({ command: line, result: { stdout, stderr, exitCode }, steady: steadyOf(far, mounted) });
}

const steadyOf = (far: FarSide, mounted: string) =>
  [
    [new RegExp(mounted, "g"), stick],
    [new RegExp(far.folder, "g"), "/root"],
    [new RegExp(far.cluster.kubeconfig, "g"), "/root/.kube/config"],
    [/installed in \d+ s/g, "installed in 40 s"],
    [/安装用时 \d+ 秒/g, "安装用时 40 秒"],
    [/\*:\d+/g, "*:31080"],
    // Executables differ from build to build, and make most of the size.
    [/\b3[0-9]{2}\.\d MiB/g, "360.0 MiB"],
  ] as const;

describe.skipIf(unavailable !== undefined)(`the whole job with the executable on a bare host${because}`, () => {
  const at = { stick: "", path: "" };
  beforeAll(async () => {
    const directory = await aTempDirectory();
    at.stick = join(directory.path, "stick");
    at.path = await barePath(directory.path);
    await mkdir(at.stick);
    const { helm, kubectl } = await tools("4.1");
    const spec = () => ({ tools: { "helm-linux-amd64": { path: helm }, "kubectl-linux-amd64": { path: kubectl } } });
    const env = { HIGRESS_AIRGAP_EXE_DIR: executables };
    const built = await aBuiltBundle({ folder: directory.path, spec, env });
    await rename(built, join(at.stick, "higress-2.2.4.tar"));
    return () => directory[Symbol.asyncDispose]();
  });

  it.each(["en", "zh"] as const)("goes as docs/%s/walk.md shows", async (language) => {
    await using far = await aFarSide();
    await rm(join(far.folder, "bin"), { recursive: true, force: true });
    const screens: string[] = [];
    for (const line of evening) {
      screens.push(steadyOrder(await type(line, { far, ...at }, language)));
    }
    await expectOnPage(`docs/${language}/walk.md`, "walk", screens.join("\n\n"));
  });
});
