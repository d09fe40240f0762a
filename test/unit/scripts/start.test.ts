import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bundleStart } from "../../../scripts/exe/bundle.mjs";
import { aTempDirectory } from "../../rig/temp-directory.ts";

it("an executable's main script says the version without unpacking the program, and nothing else", async () => {
  await using directory = await aTempDirectory();
  const start = join(directory.path, "start.cjs");
  await bundleStart(start);
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  // A plain Node carries no program, so whoever asks for it fails.
  const run = (...words: string[]) => execa(process.execPath, [start, ...words], { reject: false });

  const on = `node ${process.versions.node}, ${process.platform}/${process.arch}`;
  expect(await run("--version")).toMatchObject({ exitCode: 0, stdout: `${version} (${on})`, stderr: "" });
  expect((await run("--help")).stderr).toContain("ERR_NOT_IN_SINGLE_EXECUTABLE_APPLICATION");
});
