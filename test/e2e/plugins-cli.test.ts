import { execa } from "execa";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aBlob } from "../rig/builders/graph.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { cli, type CliResult } from "../rig/cli.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aProxyPlugin, code } from "../rig/wasm/module.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const { registry } = sampleChart;
const allInOne = `${registry}/higress/all-in-one:2.2.4`;
const picky = `${registry}/plugins/picky:1.0.0`;
const modules = { "key-auth": aProxyPlugin({}, { data: "key-auth" }) };

/** Takes no configuration but none: what a plugin does with a document of the wrong type. */
const pickyModule = aProxyPlugin({ proxy_on_configure: { parameters: 2, results: 1, body: code.answer(0) } });
const wasmPlugin = {
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "strict", namespace: "higress-system" },
  spec: { url: `oci://${picky}`, defaultConfig: { wrong: true } },
};

const image = (architecture: string) => anImage({ architecture, layers: [aBlob(`all in one for ${architecture}`)] });
const content = {
  [allInOne]: anIndex({ "linux/amd64": image("amd64"), "linux/arm64": image("arm64") }),
  [picky]: aWasmPlugin({ module: pickyModule }),
};
const said = ({ stdout, stderr }: CliResult): string => `${stdout}\n${stderr}`;

describe.skipIf(unavailable !== undefined)(`the plugins of a bundle${because}`, () => {
  const carried = { folder: "", bundle: "" };
  const run = (...args: string[]) => cli(args, { cwd: carried.folder });

  beforeAll(async () => {
    const folder = await aTempDirectory();
    carried.folder = folder.path;
    carried.bundle = await aBuiltBundle({
      folder: folder.path,
      content,
      spec: (sample) => {
        const plugins = sample["plugins"] as { list: object[] };
        return {
          images: [allInOne],
          plugins: { ...plugins, list: [...plugins.list, { name: "picky", ref: `oci://${picky}` }] },
        };
      },
    });
    return () => folder[Symbol.asyncDispose]();
  });

  it("are listed, each with the version that its URL has and the layout that the gateway will see", async () => {
    const { stdout, exitCode } = await run("plugins", "list", carried.bundle);
    expect(exitCode).toBe(0);
    const rows = stdout.trim().split("\n");
    expect(rows[0]).toMatch(/^name +version +size +layout +reference$/);
    expect(rows).toHaveLength(6);
    expect(stdout).toMatch(new RegExp(`key-auth +1\\.0\\.0 +\\S+ \\S+ +oci +${registry}/plugins/key-auth:2\\.0\\.1`));
    expect(stdout).toMatch(/cors +1\.0\.0 .*compat/);
    // The gateway would have refused its one layer: the build packed it again.
    expect(stdout).toMatch(/waf +1\.0\.0 .*oci/);
    expect(stdout).toMatch(/picky +1\.0\.0 /);
    const json = JSON.parse((await run("plugins", "list", carried.bundle, "--json")).stdout) as { name: string }[];
    expect(json.map(({ name }) => name).sort()).toEqual(["cors", "key-auth", "mcp-server", "picky", "waf"]);
  });

  it("are really started, and one that takes no configuration is no error while nobody configures it", async () => {
    const checked = await run("plugins", "check", carried.bundle);
    expect(checked.exitCode, said(checked)).toBe(0);
    expect(checked.stdout).toMatch(/key-auth +1\.0\.0 +oci +0_2_100 +64\.0 KiB +configured/);
    expect(checked.stdout).toMatch(/picky +1\.0\.0 +oci +0_2_100 +\S+ KiB +not-checkable/);
    expect(checked.stderr).toContain("plugin.not-checkable");
  });

  it("end the check with 3 when one refuses the configuration that it is given", async () => {
    await writeFile(join(carried.folder, "config.json"), '{"wrong":true}');
    const args = ["plugins", "check", carried.bundle, "--name", "picky", "--config", "config.json"];
    const checked = await run(...args);
    expect(checked.exitCode, said(checked)).toBe(3);
    expect(checked.stderr).toContain("plugin.config-refused");
    expect(checked.stdout).toMatch(/picky .*refused/);
    expect(checked.stdout).not.toContain("key-auth");
  });

  it("are held against the release that is named, and a name that is not carried is a mistake", async () => {
    const older = await run("plugins", "check", carried.bundle, "--release-version", "9.9.9");
    expect(older.stderr).toContain("plugin.gateway-unknown");
    const unknown = await run("plugins", "check", carried.bundle, "--name", "key-oauth");
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("key-auth?") as string });
  });

  it("are exported for any web server, and a second export changes nothing", async () => {
    const first = await run("plugins", "export", carried.bundle, "--directory", "tree");
    expect(first.exitCode, said(first)).toBe(0);
    const module = join(carried.folder, "tree/plugins/key-auth/1.0.0/plugin.wasm");
    expect(await readFile(module)).toEqual(modules["key-auth"]);
    expect(await readFile(join(carried.folder, "tree/key-auth.wasm"))).toEqual(modules["key-auth"]);
    const before = await stat(module);
    const second = await run("plugins", "export", carried.bundle, "--directory", "tree");
    expect(second.stderr).toContain("nothing to do: everything is there");
    expect((await stat(module)).ino).toBe(before.ino);
  });

  it("are checked with the WasmPlugins that travel with them", async () => {
    await using folder = await aTempDirectory();
    const manifest = join(folder.path, "strict.yaml");
    await writeFile(manifest, JSON.stringify(wasmPlugin));
    const bundle = await aBuiltBundle({
      folder: folder.path,
      content,
      spec: () => ({ charts: [], plugins: { list: [] }, manifests: [{ path: manifest }] }),
    }).catch((error: unknown) => {
      // The build says the same, and ends with 3 too; what it wrote is what is checked here.
      expect(String(error)).toContain("plugin.config-refused");
      return join(folder.path, "bundle.tar");
    });
    const checked = await cli(["plugins", "check", bundle], { cwd: folder.path });
    expect(checked.exitCode, said(checked)).toBe(3);
    expect(checked.stderr).toContain("plugin.config-refused");
  });

  it("come with the all-in-one image as a kit that docker can run", async () => {
    const made = await run(
      "standalone",
      carried.bundle,
      "--mode",
      "all-in-one",
      "--platform",
      "linux/arm64",
      "--out",
      "kit",
    );
    expect(made.exitCode, said(made)).toBe(0);
    const kit = join(carried.folder, "kit");
    const archive = join(kit, "images", `${registry}_higress_all-in-one_2.2.4.tar`);
    const listed = await execa("tar", ["xOf", archive, "manifest.json"]);
    const [entry] = JSON.parse(listed.stdout) as { Config: string; RepoTags: string[] }[];
    expect(entry?.RepoTags).toEqual([allInOne]);
    const config = await execa("tar", ["xOf", archive, entry!.Config]);
    expect(JSON.parse(config.stdout)).toMatchObject({ os: "linux", architecture: "arm64" });
    const log = await dockerLog(kit);
    expect(log).toContain(`load --input images/${registry}_higress_all-in-one_2.2.4.tar`);
    expect(log).toContain(`${kit}/plugins/plugins/key-auth:/usr/share/nginx/html/plugins/key-auth:ro,z`);
    expect(await readFile(join(kit, "plugins/plugins/key-auth/1.0.0/plugin.wasm"))).toEqual(modules["key-auth"]);
    expect(await readFile(join(kit, "higress.env"), "utf8")).toContain("/plugins/${name}/${version}/plugin.wasm");
  });

  it("come with the images of the compose set, and what the set lacks is said", async () => {
    const made = await run(
      "standalone",
      carried.bundle,
      "--mode",
      "compose",
      "--platform",
      "linux/amd64",
      "--out",
      "set",
    );
    // Three services of the set have no image in the bundle: the kit is made, and says that it will not run.
    expect(made.exitCode, said(made)).toBe(3);
    expect(made.stderr).toContain("higress/api-server");
    expect(made.stderr).not.toContain("higress/console,");
    const set = join(carried.folder, "set");
    const load = await readFile(join(set, "load.sh"), "utf8");
    for (const name of ["gateway", "higress", "pilot", "console"]) expect(load).toContain(`_higress_${name}_1.0.0.tar`);
    expect(load).not.toMatch(/cert-manager|all-in-one/);
    expect(await readFile(join(set, "compose.env"), "utf8")).toContain("plugin-server:8080/plugins/$${name}/");
    expect(await readFile(join(set, "compose.override.yaml"), "utf8")).toContain(
      "/plugins/plugins/key-auth:/usr/share",
    );
  });

  it.each([
    [["--mode", "vm"], 2, "--mode vm"],
    [["--platform", "linux/s390x"], 1, "linux/s390x"],
  ])("make no kit with %j", async (more, exitCode, words) => {
    const made = await run("standalone", carried.bundle, "--out", "none", ...more);
    expect(made.exitCode, said(made)).toBe(exitCode);
    expect(made.stderr).toContain(words);
    await expect(stat(join(carried.folder, "none/run.sh"))).rejects.toThrow("ENOENT");
  });
});

/** Runs run.sh with a docker that notes its arguments and has no image. */
async function dockerLog(kit: string): Promise<string> {
  const bin = join(kit, "../fake-bin");
  await mkdir(bin, { recursive: true });
  const fake = join(bin, "docker");
  await writeFile(fake, `#!/bin/sh\necho "$*" >>"${bin}/log"\n[ "$1" != image ]\n`);
  await chmod(fake, 0o755);
  await execa(join(kit, "run.sh"), [], { env: { PATH: `${bin}:/usr/bin:/bin` }, extendEnv: false });
  return readFile(join(bin, "log"), "utf8");
}
