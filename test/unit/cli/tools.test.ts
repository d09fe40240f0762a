import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import type { Context } from "../../../src/cli/context.ts";
import { findTool } from "../../../src/cli/wire/tools.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

describe("findTool", () => {
  it("takes the first program on PATH, and neither a folder nor a text of that name", async () => {
    await using folder = await aTempDirectory();
    const path = (name: string): string => join(folder.path, name);
    await mkdir(path("a/helm"), { recursive: true });
    for (const each of ["b", "c"]) await mkdir(path(each));
    await writeFile(path("b/helm"), "notes", { mode: 0o644 });
    await writeFile(path("c/helm"), "#!/bin/sh\n");
    await chmod(path("c/helm"), 0o755);
    const env = { PATH: ["a", "b", "c"].map(path).join(":") };
    const context = { cwd: folder.path, env } as unknown as Context;
    expect(await findTool("helm", {}, context)).toBe(path("c/helm"));
    await expect(findTool("helm", { named: "a/helm" }, context)).rejects.toMatchObject({ code: "TOOL_MISSING" });
    // The folder that somebody is in is nobody's PATH.
    const here = { cwd: path("c"), env: { PATH: `.:${relative(process.cwd(), path("c"))}:` } } as unknown as Context;
    await expect(findTool("helm", {}, here)).rejects.toMatchObject({ code: "TOOL_MISSING" });
    await expect(findTool("kubectl", {}, context)).rejects.toMatchObject({ code: "TOOL_MISSING" });
  });
});
