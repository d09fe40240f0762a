import { execa } from "execa";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { aFarSide, farSideUnavailable, harborHost, namespace, said, type FarSide } from "../rig/far-side.ts";
import { aRealBundle } from "../rig/real-bundle.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const chart = process.env["HIGRESS_CHART"] ?? "";
const older = join(dirname(chart), "higress-2.1.9.tgz");
const unavailable =
  chart === "" || !existsSync(older)
    ? "HIGRESS_CHART names no packed Higress chart 2.2.4 with higress-2.1.9.tgz beside it"
    : farSideUnavailable();
const because = unavailable === undefined ? "" : ` (skipped: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(`the real charts on a real API server${because}`, () => {
  it("go from 2.1.9 to 2.2.4, across the change of what global.hub means, and back", async () => {
    await using far = await aFarSide({ helm: "4.1" });
    await using folder = await aTempDirectory();
    const made = { folder: folder.path, helm: far.tools.helm };
    const [first, second] = [
      await aRealBundle({ ...made, chart: older, version: "2.1.9" }),
      await aRealBundle({ ...made, chart, version: "2.2.4" }),
    ];
    expect([first.built.exitCode, second.built.exitCode], said(first.built) + said(second.built)).toEqual([0, 0]);

    await succeeds(far, ["install", first.bundle]);
    await succeeds(far, ["check", first.bundle]);
    const before = await imagesOf(far);
    expect(before.filter((image) => !image.startsWith(`${harborHost}/`))).toEqual([]);

    await succeeds(far, ["install", second.bundle]);
    await succeeds(far, ["check", second.bundle]);
    const after = await imagesOf(far);
    expect(after.filter((image) => !image.startsWith(`${harborHost}/`))).toEqual([]);
    expect(after).not.toEqual(before);

    await succeeds(far, ["rollback"]);
    expect(await imagesOf(far)).toEqual(before);
    await succeeds(far, ["check", first.bundle]);
  }, 600_000);
});

async function succeeds(far: FarSide, command: readonly string[]): Promise<void> {
  const result = await far.run(command);
  expect(result, `${command.join(" ")}\n${said(result)}`).toMatchObject({ exitCode: 0 });
}

async function imagesOf(far: FarSide): Promise<readonly string[]> {
  const path = "jsonpath={.items[*].spec.template.spec.containers[*].image}";
  const query = ["get", "deployments,daemonsets,statefulsets", "-n", namespace, "-o", path];
  const { stdout } = await execa(far.tools.kubectl, ["--kubeconfig", far.cluster.kubeconfig, ...query]);
  return [...new Set(stdout.split(" "))].sort();
}
