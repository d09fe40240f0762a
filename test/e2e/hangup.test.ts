import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { aBundleFile } from "../rig/bundle-file.ts";
import { startCli } from "../rig/running-cli.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

it("ends as on Ctrl-C when the connection drops, however often that is said", async () => {
  await using folder = await aTempDirectory();
  await aBundleFile(folder.path, "bundle.tar");
  const serving = startCli(["serve", "bundle.tar", "--port", "0"], { cwd: folder.path });
  await serving.says(({ type, text }) => type === "note" && text === "listening");
  serving.signal("SIGHUP");
  serving.signal("SIGHUP");
  expect(await serving.result).toMatchObject({ signal: undefined, exitCode: 0 });
  expect(await readdir(folder.path)).toEqual(["bundle.tar"]);
});
