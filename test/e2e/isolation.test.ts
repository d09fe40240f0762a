import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { program } from "../rig/cli.ts";
import { apart, attemptsIn, isolationUnavailable, watched } from "../rig/connections.ts";
import { aFarSide, farSideUnavailable, harborHost, said, type FarSide } from "../rig/far-side.ts";

const inside = process.env["HIGRESS_AIRGAP_TEST_APART"] === "1";
const unavailable = inside ? undefined : (farSideUnavailable() ?? isolationUnavailable());
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const root = fileURLToPath(new URL("../../", import.meta.url));

// Each of the two is no test at all in the other network, so that none is counted as left out.
if (inside)
  describe("with loopback only", () => {
    it("does the whole job over two addresses", async () => {
      const { stdout: routes } = await execa("ip", ["route", "show", "default"]);
      expect(routes).toBe("");
      await using far = await aFarSide({ helm: "3.17" });
      const bundle = await aBuiltBundle({ folder: far.folder });
      const allowed = [far.target.url, far.cluster.server].map((url) => Number(new URL(url).port));
      const commands = [
        ["preflight", bundle],
        ["install", bundle],
        ["check", bundle],
        ["doctor"],
        ["plugins", "enable", bundle, "--name", "cors"],
        ["uninstall", "--yes"],
      ];
      for (const command of commands) {
        const { trace, result } = await traced(far, command);
        expect(result, said(result)).toMatchObject({ exitCode: 0 });
        const attempts = attemptsIn(trace);
        const outside = attempts.filter((one) => one.address !== "127.0.0.1" || !allowed.includes(one.port));
        expect(outside, command.join(" ")).toEqual([]);
        // What watches must be seen to see: each of these commands talks to the API server.
        expect(attempts.map(({ port }) => port)).toContain(allowed[1]);
      }
    });

    it("sees an attempt that leads out", async () => {
      await using far = await aFarSide({ helm: "3.17" });
      const bundle = await aBuiltBundle({ folder: far.folder });
      // The registry by its name, which no resolver here knows: the question for it is an attempt of its own.
      await far.writeSite({ registries: {} });
      const { trace, result } = await traced(far, ["push", bundle]);
      expect(result.stderr).toContain(harborHost);
      expect(attemptsIn(trace).some(({ port }) => port === 53)).toBe(true);
    });
  });
else
  describe.skipIf(unavailable !== undefined)(`a host without a way out${because}`, () => {
    it("installs, checks, explains and removes, and turns to no host but the registry and the API server", async () => {
      // This very file again, with registry, API server and nodes in a network that has loopback only.
      const [command, ...args] = [...apart, process.execPath, join(root, "node_modules/vitest/vitest.mjs")];
      const again = ["run", "--project", "e2e", "test/e2e/isolation.test.ts", "--reporter=verbose"];
      const env = { HIGRESS_AIRGAP_TEST_APART: "1", NO_COLOR: "1", FORCE_COLOR: undefined };
      const result = await execa(command, [...args, ...again], { cwd: root, env, reject: false, all: true });
      expect(result.exitCode, result.all).toBe(0);
      expect(result.all).toMatch(/Tests +2 passed/);
    });
  });

async function traced(far: FarSide, command: readonly string[]) {
  const file = join(far.folder, "trace");
  const [strace, ...flags] = watched(file);
  const result = await execa(strace ?? "", [...flags, ...program, ...far.args(command)], {
    cwd: far.folder,
    env: { PATH: "/usr/bin:/bin", HOME: far.folder, HIGRESS_AIRGAP_EXE_DIR: "" },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  const { exitCode, stdout, stderr } = result;
  return { result: { exitCode, stdout, stderr }, trace: await readFile(file, "utf8") };
}
