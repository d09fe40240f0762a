import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { manyFiles } from "../../../scripts/bundle/options.mjs";

describe("the program", () => {
  it("loads neither the network nor schemas nor archives until a command asks for them", async () => {
    const { metafile } = await build({
      ...(await manyFiles()),
      entryPoints: { main: "src/main.ts" },
      outdir: "out",
      write: false,
    });
    const outputs = new Map(Object.entries(metafile.outputs));
    const atOnce = new Set<string>();
    const take = (name: string): void => {
      if (atOnce.has(name)) return;
      atOnce.add(name);
      for (const { path, kind } of outputs.get(name)?.imports ?? []) if (kind !== "dynamic-import") take(path);
    };
    // The parser is loaded for every command line but `--version`, and no command yet.
    const parser = /^src\/(main|cli\/app)\.ts$/;
    for (const [name, { entryPoint }] of outputs) if (parser.test(entryPoint ?? "")) take(name);
    const inputs = [...atOnce].flatMap((name) => Object.keys(outputs.get(name)?.inputs ?? {}));
    const packages = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
    expect(inputs).toContain("src/cli/app.ts");
    expect(packages).toContain("yargs");
    expect(
      [...new Set(packages)].filter((name) => /^(undici|zod|tar|archiver|js-yaml|execa|ssri)$/.test(name ?? "")),
    ).toEqual([]);
    expect(inputs.filter((path) => /^src\/(edge|stages|pipeline|content)\//.test(path))).toEqual([]);
  });
});
