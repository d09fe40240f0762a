import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { releases } from "../../../src/cli/commands/init.ts";
import { loadBundleSpec, loadRelocationMap, loadSite } from "../../../src/edge/files/config.ts";
import { fileWords } from "../../../src/ui/messages/files.ts";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

describe("init", () => {
  it("knows exactly the releases that the repository has", async () => {
    const folders = (await readdir("manifests/higress", { withFileTypes: true })).filter((it) => it.isDirectory());
    expect([...releases].sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it.each(releases)("writes a spec of %s that loads, with the relocation map that it names", async (version) => {
    await using folder = await aTempDirectory();
    // As the releases are called on the page of Higress that they are fetched from.
    await runCommand(["init", "--release-version", `v${version}`, "--platform", "linux/arm64", "--preset", "none"], {
      cwd: folder.path,
    });
    const spec = await loadBundleSpec(join(folder.path, "bundle.yaml"));
    expect([spec.version, spec.platforms, spec.plugins.preset]).toEqual([version, ["linux/arm64"], "none"]);
    const shipped = await loadBundleSpec(`manifests/higress/${version}/bundle.yaml`);
    expect(spec.plugins.list).toEqual(shipped.plugins.list);
    for (const chart of spec.charts)
      expect(await loadRelocationMap(chart.relocation ?? "")).toMatchObject({ chart: chart.name, version });
  });

  it.each(releases)(
    "of %s brings helm and kubectl for every platform, pinned, and none that nobody asked for",
    async (version) => {
      const { tools } = await loadBundleSpec(`manifests/higress/${version}/bundle.yaml`);
      const names = ["helm", "kubectl"].flatMap((name) => [`${name}-linux-amd64`, `${name}-linux-arm64`]);
      expect(Object.keys(tools).sort()).toEqual(names);
      for (const { from, sha256, path } of Object.values(tools)) {
        expect(from).toMatch(/^https:\/\//);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(path).toContain(`manifests/higress/${version}/tools/`);
      }
      await using folder = await aTempDirectory();
      await runCommand(["init", "--release-version", version, "--platform", "linux/arm64/v8", "--preset", "all"], {
        cwd: folder.path,
      });
      const written = await loadBundleSpec(join(folder.path, "bundle.yaml"));
      expect(Object.keys(written.tools)).toEqual(["helm-linux-arm64", "kubectl-linux-arm64"]);
      expect(written.tools["helm-linux-arm64"]).toMatchObject({
        ...tools["helm-linux-arm64"],
        path: expect.any(String) as string,
      });
    },
  );

  it("makes no build begin with a platform that is none", async () => {
    await using folder = await aTempDirectory();
    await runCommand(["init", "--release-version", "2.9.0", "--preset", "none"], { cwd: folder.path });
    const build = runCommand(["build", "bundle.yaml", "--platform", "arm64", "--dry-run"], { cwd: folder.path });
    const facts = { what: "--platform arm64", wanted: "linux/amd64, linux/arm64" };
    await expect(build).rejects.toMatchObject({ code: "USAGE", facts });
  });

  it("writes a spec of a release that nobody here has seen: the build learns its map and asks its console for plugins", async () => {
    await using folder = await aTempDirectory();
    await runCommand(["init", "--release-version", "2.9.0", "--preset", "all"], { cwd: folder.path });
    expect((await readdir(folder.path)).sort()).toEqual(["bundle.schema.json", "bundle.yaml"]);
    const { version, charts, plugins } = await loadBundleSpec(join(folder.path, "bundle.yaml"));
    expect(version).toBe("2.9.0");
    expect(charts).toMatchObject([{ name: "higress", version: "2.9.0" }]);
    expect(charts[0]).not.toHaveProperty("relocation");
    expect(plugins).toMatchObject({ discover: true, list: [] });
  });

  it.each(["en", "zh"] as const)("comments every part in %s, and names a schema that is there", async (language) => {
    await using folder = await aTempDirectory();
    await runCommand(["init"], { cwd: folder.path, language });
    const text = await readFile(join(folder.path, "bundle.yaml"), "utf8");
    const [, schema = ""] = /^# yaml-language-server: \$schema=\.\/(\S+)\n/.exec(text) ?? [];
    expect(JSON.parse(await readFile(join(folder.path, schema), "utf8"))).toMatchObject({ type: "object" });
    const lines = Object.values(fileWords[language].spec).map((words) => words.split("\n")[0] ?? "");
    expect(lines.slice(1).filter((line) => !text.includes(`# ${line}\n`))).toEqual([]);
    await loadBundleSpec(join(folder.path, "bundle.yaml"));
  });

  it("asks at a terminal for what was not said, and takes an empty answer as the default", async () => {
    await using folder = await aTempDirectory();
    const { stderr } = await runCommand(["init", "--preset", "all"], {
      cwd: folder.path,
      answers: ["2.2.0", ""],
    });
    expect(stderr).toContain("Higress version [2.2.4]: Platforms [linux/amd64 linux/arm64]: ");
    expect(stderr).not.toContain("Plugins");
    const spec = await loadBundleSpec(join(folder.path, "bundle.yaml"));
    expect([spec.version, spec.platforms]).toEqual(["2.2.0", ["linux/amd64", "linux/arm64"]]);
  });

  it.each([
    ["what is no version", ["--release-version", "newest"], "CONFIG_INVALID"],
    ["a preset that is not there", ["--preset", "some"], "USAGE"],
    ["a platform that is none", ["--platform", "arm64"], "CONFIG_INVALID"],
  ])("refuses %s and writes nothing", async (_what, flags, code) => {
    await using folder = await aTempDirectory();
    await expect(runCommand(["init", ...flags], { cwd: folder.path })).rejects.toMatchObject({ code });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("never replaces what somebody wrote, unless told so", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "bundle.yaml");
    await writeFile(path, "mine\n");
    await expect(runCommand(["init"], { cwd: folder.path })).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect([await readFile(path, "utf8"), await readdir(folder.path)]).toEqual(["mine\n", ["bundle.yaml"]]);
    await runCommand(["init", "--overwrite"], { cwd: folder.path });
    await loadBundleSpec(path);
  });
});

describe("site init", () => {
  it.each(["en", "zh"] as const)("writes a site file in %s that loads, with what was said", async (language) => {
    await using folder = await aTempDirectory();
    const flags = ["--registry-host", "harbor.corp:8443", "--project", "gateway", "--kubeconfig", "admin.conf"];
    await runCommand(["site", "init", ...flags, "--out", "far/site.yaml"], { cwd: folder.path, language });
    const site = await loadSite(join(folder.path, "far/site.yaml"));
    expect(site.registry).toMatchObject({ host: "harbor.corp:8443", project: "gateway", insecure: false });
    expect(site.cluster.kubeconfig).toBe(join(folder.path, "admin.conf"));
  });

  it("has examples in its comments that load when they are taken in", async () => {
    await using folder = await aTempDirectory();
    await runCommand(["site", "init"], { cwd: folder.path });
    const path = join(folder.path, "site.yaml");
    const text = await readFile(path, "utf8");
    const taken = text.replace(/^( *)# (ca|credentials|createProject|kubeconfig|trustKeys):/gm, "$1$2:");
    await writeFile(path, taken);
    const site = await loadSite(path);
    expect(site.registry).toMatchObject({ credentials: { username: "robot$push" }, createProject: { public: false } });
    expect(site.trustKeys).toEqual([join(folder.path, "release.pub")]);
  });

  it("refuses a host that is a URL, with the line of the file that would have been", async () => {
    await using folder = await aTempDirectory();
    await expect(
      runCommand(["site", "init", "--registry-host", "https://harbor.corp"], { cwd: folder.path }),
    ).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await readdir(folder.path)).toEqual([]);
  });
});
