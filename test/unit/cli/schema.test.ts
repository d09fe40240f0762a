import { execa } from "execa";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFile } from "node:fs/promises";

describe("manifests/schema", () => {
  it("is what scripts/schema.mjs makes of the models", async () => {
    const { stdout, exitCode } = await execa("node", ["scripts/schema.mjs", "--check"], { reject: false });
    expect({ stale: stdout, exitCode }).toEqual({ stale: "", exitCode: 0 });
  });

  it("takes files without what has a default, and refuses keys that nobody knows", async () => {
    const site = JSON.parse(await readFile("manifests/schema/site.schema.json", "utf8")) as {
      required: string[];
      additionalProperties: boolean;
    };
    expect([site.required, site.additionalProperties]).toEqual([["apiVersion", "kind", "registry"], false]);
  });
});

describe("the files that ship", () => {
  it.each([
    ...["2.1.9", "2.2.0", "2.2.4"].flatMap((it) => [`higress/${it}/bundle.yaml`, `higress/${it}/relocation.yaml`]),
    "examples/bundle.yaml",
    "examples/site.yaml",
  ])("%s names its schema in the first line", async (name) => {
    const [first = ""] = (await readFile(`manifests/${name}`, "utf8")).split("\n");
    const [, schema = ""] = /^# yaml-language-server: \$schema=(\S+)$/.exec(first) ?? [];
    await readFile(join("manifests", dirname(name), schema), "utf8");
  });
});
