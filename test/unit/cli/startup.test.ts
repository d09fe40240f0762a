import { build, type Metafile } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { manyFiles } from "../../../scripts/bundle/options.mjs";

/** What the entries that fit load at once, and not later by `import()`: sources, packages, and modules of Node. */
let loadedBy: (entries: RegExp) => { readonly inputs: readonly string[]; readonly packages: readonly string[] };

let written: Metafile["inputs"];

beforeAll(async () => {
  const { metafile } = await build({
    ...(await manyFiles()),
    entryPoints: { main: "src/main.ts" },
    outdir: "out",
    write: false,
  });
  written = metafile.inputs;
  const outputs = new Map(Object.entries(metafile.outputs));
  loadedBy = (entries) => {
    const atOnce = new Set<string>();
    const take = (name: string): void => {
      if (atOnce.has(name)) return;
      atOnce.add(name);
      for (const { path, kind } of outputs.get(name)?.imports ?? []) if (kind !== "dynamic-import") take(path);
    };
    for (const [name, { entryPoint }] of outputs) if (entries.test(entryPoint ?? "")) take(name);
    const inputs = [...atOnce].flatMap((name) => Object.keys(outputs.get(name)?.inputs ?? {}));
    const ofNode = [...atOnce].filter((name) => name.startsWith("node:"));
    const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    return { inputs, packages: [...new Set([...packages, ...ofNode])] };
  };
});

describe("the program", () => {
  it("loads neither the network nor schemas nor archives until a command asks for them", () => {
    // The parser is loaded for every command line but `--version`, and no command yet.
    const { inputs, packages } = loadedBy(/^src\/(main|cli\/app)\.ts$/);
    expect(inputs).toContain("src/cli/app.ts");
    expect(packages).toContain("yargs");
    expect(packages.filter((name) => /^(undici|zod|tar|archiver|js-yaml|execa|ssri)$/.test(name))).toEqual([]);
    expect(inputs.filter((path) => /^src\/(edge|stages|pipeline|content)\//.test(path))).toEqual([]);
  });

  it("opens a bundle without what reads charts, YAML or site files, and without threads", () => {
    const { inputs, packages } = loadedBy(/^src\/cli\/commands\/(inspect|verify)\.ts$/);
    expect(inputs).toEqual(expect.arrayContaining(["src/stages/bundle/open.ts", "src/edge/disk/hash-ranges.ts"]));
    expect(packages).toEqual(expect.arrayContaining(["zod", "node:crypto"]));
    const late = /^(undici|tar|js-yaml|ipaddr\.js|execa|node:worker_threads|node:zlib)$/;
    expect(packages.filter((name) => late.test(name))).toEqual([]);
    expect(inputs.filter((path) => /^src\/(model\/(site|spec)|edge\/charts\/)/.test(path))).toEqual([]);
  });

  it("imports nothing late that is CommonJS: packed, that has no names but `default`, and as it is written it has them", () => {
    const late = Object.entries(written).flatMap(([from, { imports }]) =>
      imports.filter(({ kind }) => kind === "dynamic-import").map(({ path }) => ({ from, path })),
    );
    expect(late.length).toBeGreaterThan(10);
    expect(late.filter(({ path }) => written[path]?.format === "cjs")).toEqual([]);
  });
});
