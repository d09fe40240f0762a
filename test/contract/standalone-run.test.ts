import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { standaloneKit, type StandaloneInput } from "../../src/stages/standalone/kit.ts";
import { shellWord } from "../../src/std/shell-word.ts";

const run = promisify(execFile);
const input: StandaloneInput = {
  image: "quay.io/higress/all-in-one:2.2.4",
  archives: ["images/all in one.tar"],
  dataElsewhere: "It's elsewhere / 在别处",
  plugins: { from: "directory", directory: "tree" },
  carried: [{ name: "mcp-server", version: "2.0.1" }],
};

/** A kit in a directory whose name has blanks, and an engine that notes its arguments, one call a line. */
async function aKit(given: StandaloneInput, state: { readonly loaded: boolean; readonly running: string }) {
  const root = await mkdtemp(join(tmpdir(), "higress airgap kit-"));
  const kit = join(root, "kit");
  const bin = join(root, "bin");
  await Promise.all([mkdir(kit), mkdir(bin)]);
  for (const { name, text, mode } of standaloneKit(given).files) await writeFile(join(kit, name), text, { mode });
  const engine = `#!/bin/sh
printf '%s|' "$@" >>"$LOG"; echo >>"$LOG"
case "$1" in image) exit ${state.loaded ? 0 : 1};; ps) echo "${state.running}";; inspect) echo "/first kit/data";; esac
`;
  for (const name of ["docker", "podman"]) await writeFile(join(bin, name), engine, { mode: 0o755 });
  const log = join(root, "log");
  return {
    kit,
    start: async (env: Record<string, string> = {}, script = "run.sh") => {
      await run(join(kit, script), [], { cwd: "/", env: { PATH: `${bin}:/usr/bin:/bin`, LOG: log, ...env } });
      return (await readFile(log, "utf8"))
        .trim()
        .split("\n")
        .map((line) => line.split("|").slice(0, -1));
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

describe("run.sh", () => {
  it("loads what is missing and runs the image, from wherever it is called", async () => {
    await using kit = await aKit(input, { loaded: false, running: "" });
    const calls = await kit.start();
    expect(calls.map(([verb]) => verb)).toEqual(["ps", "image", "load", "run"]);
    expect(calls[2]).toEqual(["load", "--input", "images/all in one.tar"]);
    expect(calls[3]).toEqual(
      expect.arrayContaining([
        "--env-file",
        "higress.env",
        `${kit.kit}/data:/data:z`,
        `${kit.kit}/tree/plugins/mcp-server:/usr/share/nginx/html/plugins/mcp-server:ro,z`,
      ]),
    );
    expect(calls[3]?.at(-1)).toBe(input.image);
  });

  it("does not load what is there, and replaces the container that it made before", async () => {
    await using kit = await aKit(input, { loaded: true, running: "abc123" });
    await mkdir(join(kit.kit, "data"));
    const calls = await kit.start();
    expect(calls.map(([verb]) => verb)).toEqual(["ps", "image", "rm", "run"]);
    expect(calls[0]).toContain("label=io.higress.airgap=standalone");
    expect(calls[2]).toEqual(["rm", "--force", "abc123"]);
  });

  it("does not begin with empty data where the container of another kit has some", async () => {
    await using kit = await aKit(input, { loaded: true, running: "abc123" });
    const lines = [input.dataElsewhere, "  /first kit/data", `  ${kit.kit}/data`, ""];
    await expect(kit.start()).rejects.toMatchObject({ code: 1, stderr: lines.join("\n") });
    await mkdir(join(kit.kit, "data"));
    const calls = await kit.start();
    expect(calls.map(([verb]) => verb)).toEqual(["ps", "inspect", "ps", "image", "rm", "run"]);
  });

  it("is undone by remove.sh: the container that it made, and the image that it loaded", async () => {
    await using kit = await aKit(input, { loaded: true, running: "abc123" });
    const calls = await kit.start({}, "remove.sh");
    expect(calls.map((words) => words.slice(0, 3))).toEqual([
      ["ps", "--all", "--quiet"],
      ["rm", "--force", "abc123"],
      ["image", "inspect", input.image],
      ["image", "rm", input.image],
    ]);
    await using gone = await aKit(input, { loaded: false, running: "" });
    expect((await gone.start({}, "remove.sh")).map(([verb]) => verb)).toEqual(["ps", "image"]);
  });

  it("stops when the image cannot be loaded", async () => {
    await using kit = await aKit(input, { loaded: false, running: "" });
    await chmod(join(kit.kit, "run.sh"), 0o755);
    await expect(kit.start({ ENGINE: "false" })).rejects.toThrow();
  });

  it("calls the engine that was chosen, or that ENGINE names", async () => {
    await using kit = await aKit({ ...input, engine: "podman" }, { loaded: true, running: "" });
    expect(await readFile(join(kit.kit, "run.sh"), "utf8")).toContain("engine=${ENGINE:-podman}");
    expect((await kit.start({ ENGINE: "docker" })).length).toBe(3);
  });
});

describe("shellWord", () => {
  it("gives a shell back any text, whatever is in it", async () => {
    const texts = fc.sample(
      fc.string({ unit: "binary-ascii" }).map((text) => text.replaceAll("\0", "")),
      {
        numRuns: 200,
        seed: 5,
      },
    );
    const words = [...texts, "$(id)", "`id`", "'", "\\", "${name}", "-n", "a b\nc", "!x", ""];
    const { stdout } = await run("/bin/sh", ["-c", `printf '%s\\000' ${words.map(shellWord).join(" ")}`]);
    expect(stdout.split("\0").slice(0, -1)).toEqual(words);
  });
});
