import { describe, expect, it } from "vitest";
import { runApp } from "../../../src/cli/app.ts";
import { candidates } from "../../../src/cli/completion.ts";
import { commands } from "../../../src/cli/commands/table.ts";
import { PluginSelection } from "../../../src/model/spec.ts";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

const words = async (...typed: readonly string[]) =>
  (
    await candidates({
      before: typed.slice(0, -1),
      current: typed.at(-1) ?? "",
      commands,
      language: "en",
      pluginNames: (bundle) => Promise.resolve([`one-of-${bundle ?? "none"}`, "other"]),
    })
  )?.map(({ word }) => word);

describe("completion offers", () => {
  it("the commands, and the second words of a group", async () => {
    expect(await words("plug")).toEqual(["plugins"]);
    expect(await words("plugins", "e")).toEqual(["enable", "export"]);
    expect(await words("site", "")).toEqual(["init", "form"]);
  });

  it("the options of the command on the line, wherever values stand before it", async () => {
    expect(await words("--lang", "zh", "install", "b.tar", "--si")).toEqual(["--site"]);
    expect(await words("verify", "--qu")).toEqual(["--quick"]);
  });

  it("the values that an option allows, also those of every command", async () => {
    expect(await words("standalone", "b.tar", "--mode", "")).toEqual(["all-in-one", "compose"]);
    expect(await words("install", "--output", "p")).toEqual(["plain"]);
    expect(await words("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  it("the plugins of the bundle on the line", async () => {
    expect(await words("plugins", "enable", "b.tar", "--name", "")).toEqual(["one-of-b.tar", "other"]);
  });

  it("what help can be asked for, the options of every command before one, and codes to explain", async () => {
    expect(await words("help", "ver")).toEqual(["verify"]);
    expect(await words("--la")).toEqual(["--lang"]);
    expect(await words("explain", "REGISTRY_TL")).toEqual(["REGISTRY_TLS"]);
  });

  it("a value that is typed behind the option in one word, as that word", async () => {
    expect(await words("standalone", "b.tar", "--mode=c")).toEqual(["--mode=compose"]);
    expect(await words("--lang=")).toEqual(["--lang=en", "--lang=zh"]);
    expect(await words("install", "b.tar", "--site=si")).toBeUndefined();
  });

  it("file names where nothing else is known", async () => {
    expect(await words("inspect", "")).toBeUndefined();
    expect(await words("install", "b.tar", "--site", "")).toBeUndefined();
  });
});

it("the presets on the command line are those of the spec", () => {
  const { choices } = commands.find(({ name }) => name === "init")?.flags.preset ?? {};
  expect(choices).toEqual(PluginSelection.shape.preset.unwrap().options);
});

describe("words that people type first", () => {
  const said = async (...argv: string[]) => (await runApp(argv, "1.2.3", "en", () => expect.unreachable())).text;

  it("help CMD is CMD --help, and version is --version", async () => {
    expect(await said("help", "build")).toBe(await said("build", "--help"));
    expect(await said("help", "plugins", "list")).toBe(await said("plugins", "list", "--help"));
    expect(await said("help")).toBe(await said("--help"));
    expect(await said("version")).toBe("1.2.3");
  });

  it.each<[readonly string[], string]>([
    [["help", "instal"], "there is no command instal; did you mean install?"],
    [
      ["standalone", "b.tar", "--mode", "compos"],
      "--mode compos: allowed are all-in-one, compose; did you mean compose?",
    ],
    [["init", "--preset=alle"], "--preset alle: allowed are all, ai-gateway, none; did you mean all?"],
    [["completion", "tcsh"], "<shell> tcsh: allowed are bash, zsh, fish"],
  ])("%s is answered with what is allowed, and the nearest", async (argv, what) => {
    await expect(runApp(argv, "1.2.3", "en", () => expect.unreachable())).rejects.toMatchObject({
      code: "USAGE",
      facts: { what },
    });
  });

  it("without --site the site.yaml of this folder is meant, and its absence is told with the way to one", async () => {
    await using folder = await aTempDirectory();
    await expect(runCommand(["node-config"], { cwd: folder.path })).rejects.toMatchObject({
      code: "USAGE",
      facts: { what: expect.stringContaining(`${folder.path}/site.yaml; site init writes one`) as string },
    });
    await runCommand(["site", "init", "--registry-host", "harbor.corp", "--project", "higress"], { cwd: folder.path });
    expect((await runCommand(["node-config"], { cwd: folder.path })).stdout).toContain("harbor.corp");
  });
});
