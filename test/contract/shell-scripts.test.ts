import { execa, execaSync } from "execa";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { composeSetKit } from "../../src/stages/standalone/compose.ts";
import { standaloneKit } from "../../src/stages/standalone/kit.ts";
import { imageLoaders, loadScript } from "../../src/stages/node-config/node-images.ts";

const unavailable = execaSync("shellcheck", ["--version"], { reject: false }).failed
  ? "shellcheck is not here: install Debian's shellcheck"
  : undefined;

const carried = [{ name: "ai-proxy", version: "2.0.1" }];
const kits = [
  standaloneKit({
    image: "quay.io/higress/all-in-one:2.2.4",
    archives: ["images/all in one.tar", "images/it's.tar"],
    dataElsewhere: "It's elsewhere / 在别处",
    plugins: { from: "directory", directory: "plugins" },
    carried,
    caFile: "corp ca.pem",
  }),
  composeSetKit({ carried, archives: ["images/a b.tar"], directory: "plugins" }),
];
const generated = [
  ...kits.flatMap(({ files }) => files.filter(({ name }) => name.endsWith(".sh"))),
  ...imageLoaders.map((loader) => ({ name: loader, text: loadScript(loader, "it's a b.tar", ["r/a:1", "r/b:2"]) })),
];

describe.skipIf(unavailable !== undefined)(`what hosts run (${unavailable ?? "shellcheck"})`, () => {
  it.each(generated.map(({ name, text }) => [name, text] as const))("has nothing against %s", async (_name, text) => {
    expect(await judged(text)).toBe("");
  });

  it.each(["manifests/bundle/install.sh"])("has nothing against %s", async (path) => {
    expect(await judged(await readFile(path, "utf8"))).toBe("");
  });

  it("would have: a green result means something", async () => {
    expect(await judged("#!/bin/sh\nrm $1\n")).toContain("SC2086");
  });
});

async function judged(input: string): Promise<string> {
  return (await execa("shellcheck", ["--shell=sh", "--format=gcc", "-"], { input, reject: false })).stdout;
}
