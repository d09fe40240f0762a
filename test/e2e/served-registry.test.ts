import { describe, expect, it } from "vitest";
import { builtForAll } from "../rig/built-bundle.ts";
import { aFarSide, farSideUnavailable, said } from "../rig/far-side.ts";
import { startCli } from "../rig/running-cli.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const carried = builtForAll(unavailable);

describe.skipIf(unavailable !== undefined)(`install from a bundle that is served${because}`, () => {
  it("is not stopped by a registry that takes no writes, with the push left out or with nothing to push", async () => {
    await using far = await aFarSide();
    const serving = startCli(["serve", carried.bundle, "--port", "0"], { cwd: far.folder });
    let host = "";
    await serving.says((event) => {
      if (event["text"] === "listening") host = /127\.0\.0\.1:\d+/.exec(JSON.stringify(event))?.[0] ?? "";
      return host !== "";
    });
    await far.writeSite({ registry: { host, project: "airgap", plainHttp: true }, registries: {} });
    // What follows them is shown elsewhere, and would need nodes that know this registry.
    const skip = ["apply", "plugins", "check"].flatMap((phase) => ["--skip", phase]);
    for (const command of [
      ["preflight", carried.bundle],
      ["install", carried.bundle, ...skip, "--skip", "push"],
      ["install", carried.bundle, ...skip],
    ]) {
      const result = await far.run(command);
      expect(result.exitCode, said(result)).toBe(0);
      expect(said(result)).not.toContain("registry.read-only");
      expect(said(result).match(/note \[registry\.takes-no-writes\].*nothing has to be written/g)).toHaveLength(1);
    }
    serving.signal("SIGINT");
    await serving.result;
  });
});
