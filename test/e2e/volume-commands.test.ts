import { chmod, mkdir, readdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { openSource } from "../../src/edge/disk/open-source.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import { program, type CliResult } from "../rig/cli.ts";
import { aConnectedSide, type ConnectedSide } from "../rig/connected-side.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { sampleContent, writeSampleSite } from "../rig/sample-site.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const said = ({ stdout, stderr }: CliResult): string => `${stdout}\n${stderr}`;

/** Volumes alone in a directory that nothing may be written to: a stick with its switch on read-only. */
async function aStick(side: ConnectedSide): Promise<string> {
  const signed = ["--volume-size", "4MiB", "--sign-key", join(side.folder, "release")];
  await side.build("higress.tar", ...signed);
  // What stands there whole is not built again; the sums that were not asked for before are made.
  await side.build("higress.tar", ...signed, "--sums", "sm3");
  const stick = join(side.folder, "stick");
  await mkdir(stick);
  const volumes = (await readdir(side.folder)).filter((name) => /\.(\d{3}|volumes\.json|SM3SUMS(\.sig)?)$/.test(name));
  for (const name of volumes) await rename(join(side.folder, name), join(stick, name));
  for (const name of volumes) await chmod(join(stick, name), 0o444);
  await chmod(stick, 0o555);
  return stick;
}

async function listing(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs, ctimeMs } = await stat(join(folder, name));
      return `${name} ${size} ${mtimeMs} ${ctimeMs}`;
    }),
  );
}

/** What a person does who is given the address: opens it, pulls what stands there, and asks for each plugin's URL. */
async function findsItsWay(url: string, items: number): Promise<void> {
  // Where a line may break is no part of what a reader copies.
  const page = (await (await fetch(url)).text()).replaceAll("<wbr>", "");
  const { host } = new URL(url);
  const [pulls, urls] = [new RegExp(`>${host}/([^<]+):([^<:]+)<`, "g"), new RegExp(`>(${url}/[^<]+)<`, "g")].map(
    (shown) => [...page.matchAll(shown)],
  );
  expect(pulls).toHaveLength(items);
  for (const [, repository, tag] of pulls ?? [])
    expect((await fetch(`${url}/v2/${repository ?? ""}/manifests/${tag ?? ""}`)).status).toBe(200);
  expect(urls?.length).toBeGreaterThanOrEqual(4);
  for (const [, module = ""] of urls ?? [])
    expect(Buffer.from(await (await fetch(module)).arrayBuffer()).toString("latin1", 0, 4)).toBe("\0asm");
}

/** Serves it for as long as `ask` takes. */
async function whileServed(volume: string, cwd: string, ask: (url: string) => Promise<void>): Promise<void> {
  const [command, ...first] = program;
  const args = [...first, "serve", volume, "--port", "0", "--output", "json"];
  const serving = execa(command, args, { cwd, extendEnv: false, reject: false, stdin: "ignore" });
  try {
    for await (const line of createInterface({ input: serving.stderr })) {
      const event = JSON.parse(line) as { text?: string; facts?: { url?: string } };
      if (event.text !== "listening") continue;
      await ask(event.facts?.url ?? "");
      break;
    }
  } finally {
    serving.kill("SIGINT");
    await serving;
  }
}

describe.skipIf(unavailable !== undefined)(`volumes on a medium that is read only${because}`, () => {
  it("are verified, listed, pushed and served where they lie, and nothing on it changes", async () => {
    await using side = await aConnectedSide(sampleContent(3_000_000));
    await using target = await aDockerRegistry();
    await side.run("keygen", "--algorithm", "sm2", "--out", "release");
    const stick = await aStick(side);
    const volume = join(stick, "higress.tar.001");
    const before = await listing(stick);
    expect(before.length).toBeGreaterThan(2);

    const verified = await side.run("verify", volume, "--key", "release.pub", "--sums", "sm3");
    expect(verified, said(verified)).toMatchObject({ exitCode: 0 });
    const sums = await readFile(join(stick, "higress.tar.SM3SUMS"), "utf8");
    expect(sums.match(/higress\.\S+/g)).toEqual(
      before.map((line) => line.split(" ")[0]).filter((name) => !name?.includes("SM3")),
    );
    const listed = await side.run("inspect", volume);
    expect(listed.stdout).toContain("registry.higress.example/higress/gateway:1.0.0");
    const site = await writeSampleSite(side.folder, { host: "harbor.airgap.example", url: target.url });
    const pushed = await side.run("push", volume, "--site", site);
    expect(pushed, said(pushed)).toMatchObject({ exitCode: 0 });

    await using bundle = await openBundle(await openSource(volume));
    await whileServed(volume, side.folder, async (url) => {
      for (const { reference, root } of bundle.document.items) {
        const path = /^[^/]+\/(.+):[^:]+$/.exec(reference)?.[1] ?? "";
        const answer = await fetch(`${url}/v2/${path}/manifests/${root.digest}`);
        expect(`${reference} ${answer.status}`).toBe(`${reference} 200`);
        await answer.arrayBuffer();
      }
      await findsItsWay(url, bundle.document.items.length);
    });
    expect(await listing(stick)).toEqual(before);
  });
});
