import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { Phase } from "../../src/model/event.ts";
import { builtForAll } from "../rig/built-bundle.ts";
import { aFarSide, farSideUnavailable, said, type FarSide } from "../rig/far-side.ts";
import { startCli, type RunningCli } from "../rig/running-cli.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const phases: readonly Phase[] = ["verify", "preflight", "push", "render", "prove", "apply", "plugins", "check"];
const carried = builtForAll(unavailable);

async function installUntil(far: FarSide, phase: Phase): Promise<RunningCli> {
  const running = startCli(far.args(["install", carried.bundle]), { cwd: far.folder });
  await running.says((event) => event.type === "phase" && event["phase"] === phase && event["state"] === "started");
  return running;
}

async function goesThrough(far: FarSide): Promise<void> {
  const installed = await far.run(["install", carried.bundle]);
  expect(installed, said(installed)).toMatchObject({ exitCode: 0 });
  const checked = await far.run(["check", carried.bundle]);
  expect(checked, said(checked)).toMatchObject({ exitCode: 0 });
  // Every try went on with the receipt of the first one.
  const receipts = (await readdir(join(far.folder, "higress-airgap.state"))).filter((name) => name.endsWith(".json"));
  expect(receipts).toHaveLength(1);
}

describe.skipIf(unavailable !== undefined)(`an install that Ctrl-C ends${because}`, () => {
  const shared: { far?: FarSide } = {};
  const far = (): FarSide => shared.far as FarSide;
  beforeAll(async () => {
    shared.far = await aFarSide({ helm: "3.17" });
    return () => far()[Symbol.asyncDispose]();
  });

  it.each(phases)("says in phase %s that the same command goes on, and ends with 130", async (phase) => {
    const running = await installUntil(far(), phase);
    running.signal("SIGINT");
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(130);
    const last = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as Record<string, string>;
    expect(last).toMatchObject({ type: "failure", code: "INTERRUPTED" });
    expect(last["hint"]).toContain("same command");
  });

  it("goes through with the same command afterwards", () => goesThrough(far()));
});

describe.skipIf(unavailable !== undefined)(`an install that kill -9 ends${because}`, () => {
  const shared: { far?: FarSide } = {};
  const far = (): FarSide => shared.far as FarSide;
  beforeAll(async () => {
    shared.far = await aFarSide({ helm: "4.2" });
    return () => far()[Symbol.asyncDispose]();
  });

  it.each(phases)("ends in phase %s, which it reached over what the one before left", async (phase) => {
    const running = await installUntil(far(), phase);
    running.kill();
    expect(await running.result).toMatchObject({ signal: "SIGKILL" });
  });

  it("goes through with the same command afterwards", () => goesThrough(far()));
});

describe.skipIf(unavailable !== undefined)(`an install whose host loses power while helm works${because}`, () => {
  it.each(["3.17", "4.1"] as const)("is mended by the same command with helm %s", async (helm) => {
    await using far = await aFarSide({ helm });
    await far.writeSite({ cluster: { kubeconfig: far.cluster.kubeconfig, rolloutSeconds: 25 } });
    const running = await installUntil(far, "apply");
    await released(far, "pending-install");
    await running.powerOff();
    await running.result;
    await goesThrough(far);
  });
});

/** When helm has written down that it works. */
async function released(far: FarSide, status: string): Promise<void> {
  const selector = encodeURIComponent(`owner=helm,status=${status}`);
  const path = `/api/v1/namespaces/higress-system/secrets?labelSelector=${selector}`;
  const end = Date.now() + 300_000;
  while (Date.now() < end) {
    const { items } = (await far.cluster.api.get(path)) as { items: readonly unknown[] };
    if (items.length > 0) return;
    // The machine is for helm.
    await delay(50);
  }
  throw new Error(`no release is ${status}`);
}
