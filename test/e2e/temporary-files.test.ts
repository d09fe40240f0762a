import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { startCli, type RunningCli } from "../rig/running-cli.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { aTempDirectory, type TempDirectory } from "../rig/temp-directory.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const planted = "a-value-that-is-nobodys-business";

describe.skipIf(unavailable !== undefined)(`files for helm in the temporary folder${because}`, () => {
  let folder: TempDirectory;
  let bundle = "";
  const at = (...names: readonly string[]): string => join(folder.path, ...names);
  beforeAll(async () => {
    folder = await aTempDirectory();
    bundle = await aBuiltBundle({ folder: folder.path });
    await mkdir(at("tmp"));
    const values = { more: { password: planted } };
    await writeSampleSite(folder.path, { host: "127.0.0.1:9", url: "http://127.0.0.1:9", more: { values } });
    await script("kubectl", 'echo "The connection to the server localhost:8080 was refused" >&2; exit 1');
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  async function script(name: string, text: string): Promise<void> {
    await writeFile(at(name), `#!/bin/sh\n${text}\n`);
    await chmod(at(name), 0o755);
  }

  /** The first call of helm that is more than a question for its version does not end before its parent does. */
  async function running(command: string, stubborn = ""): Promise<RunningCli> {
    const wait = `: > '${at("asked")}'; while kill -0 $PPID 2>/dev/null; do sleep 0.05; done`;
    await script("helm", `case "$1" in version) echo v3.17.3; exit ;; esac\n${stubborn}\n${wait}`);
    await rm(at("asked"), { force: true });
    const started = startCli(words(command), { cwd: folder.path, env: { TMPDIR: at("tmp") } });
    const ended = started.result.then(({ stderr }) => Promise.reject(new Error(stderr)));
    // Neither registry nor cluster answers, so the other commands may take long to ask helm, and have their folder before.
    const isThere = async (): Promise<boolean> =>
      command === "render" ? exists(at("asked")) : (await left()).length > 0;
    while (!(await isThere())) await Promise.race([new Promise((resolve) => setTimeout(resolve, 20)), ended]);
    ended.catch(() => undefined);
    return started;
  }

  const exists = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  const words = (command: string): readonly string[] => {
    const more = { render: ["--out", "rendered"], install: ["--yes"], preflight: [] }[command] ?? [];
    return [command, bundle, "--site", at("site.yaml"), "--helm", at("helm"), "--kubectl", at("kubectl"), ...more];
  };
  const left = (): Promise<string[]> => readdir(at("tmp"), { recursive: true });
  async function valuesIn(): Promise<readonly string[]> {
    const files = (await left()).filter((name) => /values-[^/]*\.json$/.test(name));
    const texts = await Promise.all(files.map((name) => readFile(at("tmp", name), "utf8")));
    return texts.filter((text) => text.includes(planted));
  }

  it.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)("are gone when render is ended by %s", async (signal) => {
    const rendering = await running("render");
    expect(await valuesIn()).not.toEqual([]);
    rendering.signal(signal);
    expect(await rendering.result).toMatchObject({ exitCode: 130 });
    expect(await left()).toEqual([]);
  });

  it.each(["preflight", "install"])("are gone when %s is ended by SIGHUP", async (command) => {
    const asking = await running(command);
    expect(await left()).not.toEqual([]);
    asking.signal("SIGHUP");
    expect(await asking.result).toMatchObject({ exitCode: 130 });
    expect(await left()).toEqual([]);
  });

  it("are gone when a helm that will not end is not waited for", async () => {
    const rendering = await running("render", "trap '' TERM INT");
    rendering.signal("SIGINT");
    await rendering.says(({ type, text }) => type === "note" && text === "interrupted");
    expect(await valuesIn()).not.toEqual([]);
    rendering.signal("SIGINT");
    expect((await rendering.result).signal).toBe("SIGINT");
    expect(await left()).toEqual([]);
  });

  it("of a process that was killed are removed by the next one, and nothing of anybody else", async () => {
    const theirs = ["higress-airgap-tmp-2.2.4", "higress-airgap-tmp-abcdef"];
    for (const name of theirs) await mkdir(at("tmp", name));
    await writeFile(at("tmp", theirs[1]!, "claim"), "ours");
    const rendering = await running("render");
    rendering.kill();
    await rendering.result;
    expect(await valuesIn()).not.toEqual([]);
    const next = await running("render");
    next.signal("SIGTERM");
    await next.result;
    expect((await left()).sort()).toEqual([...theirs, `${theirs[1]!}/claim`].sort());
  });
});
