import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { aFarSide, farSideUnavailable, namespace, said, type FarSide } from "../rig/far-side.ts";
import { aRelay, type Relay } from "../rig/relay.ts";
import { startCli, type RunningCli } from "../rig/running-cli.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const carried = { bundle: "" };
const shared: { far?: FarSide; relay?: Relay } = {};
const far = (): FarSide => shared.far as FarSide;
const relay = (): Relay => shared.relay as Relay;

beforeAll(async () => {
  if (unavailable !== undefined) return;
  const folder = await aTempDirectory();
  carried.bundle = await aBuiltBundle({ folder: folder.path });
  shared.far = await aFarSide({ helm: "4.1" });
  shared.relay = await aRelay(far().cluster.server);
  return async () => {
    await relay()[Symbol.asyncDispose]();
    await far()[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
});

async function siteOver(kubeconfig: string, seconds = 25): Promise<void> {
  await far().writeSite({ cluster: { kubeconfig, rolloutSeconds: seconds } });
}

/** The cluster's own kubeconfig, through the relay. */
async function relayed(): Promise<string> {
  const config = await readFile(far().cluster.kubeconfig, "utf8");
  const path = join(far().folder, "relayed.kubeconfig");
  const there = config.replaceAll(far().cluster.server, `https://127.0.0.1:${String(relay().port)}`);
  await writeFile(path, there, { mode: 0o600 });
  return path;
}

interface Ended {
  readonly exitCode: number | undefined;
  readonly failure: { readonly code: string; readonly message: string };
  readonly stderr: string;
}

async function ended(running: RunningCli): Promise<Ended> {
  const { exitCode, stderr } = await running.result;
  const failure = JSON.parse(stderr.trim().split("\n").at(-1) ?? "{}") as Ended["failure"];
  return { exitCode, failure, stderr };
}

const install = () => startCli(far().args(["install", carried.bundle]), { cwd: far().folder });

async function goesThrough(): Promise<void> {
  const installed = await far().run(["install", carried.bundle]);
  expect(installed, said(installed)).toMatchObject({ exitCode: 0 });
  const checked = await far().run(["check", carried.bundle]);
  expect(checked, said(checked)).toMatchObject({ exitCode: 0 });
}

describe.skipIf(unavailable !== undefined)(`an install whose kubeconfig lacks rights${because}`, () => {
  it("names every right at once before anything changes, and goes on once they are given", async () => {
    await siteOver(await far().cluster.restrictedKubeconfig("elsewhere"));
    for (const command of ["preflight", "install"]) {
      const refused = await far().run([command, carried.bundle]);
      expect(refused, said(refused)).toMatchObject({ exitCode: 3 });
      for (const right of [
        "get, create, patch, delete clusterroles.rbac.authorization.k8s.io in the whole cluster",
        "get, create, patch, delete, list, update secrets in higress-system",
        "list nodes in the whole cluster",
      ])
        expect(refused.stderr, command).toContain(`may not ${right}`);
    }
    expect(shared.far?.kubelet.pulled).toEqual([]);
    await expect(far().cluster.api.get(`/api/v1/namespaces/${namespace}`)).rejects.toThrow("not found");
  });
});

describe.skipIf(unavailable !== undefined)(`an install whose API server goes away${because}`, () => {
  afterEach(() => relay().mend());

  it.each(["preflight", "render"] as const)("in phase %s ends soon and says so", async (phase) => {
    await siteOver(await relayed());
    const running = install();
    await running.says((event) => event["phase"] === phase && event["state"] === "started");
    await relay().cut();
    const { exitCode, stderr } = await ended(running);
    expect([1, 3], stderr).toContain(exitCode);
    expect(stderr).toMatch(/CLUSTER_UNREACHABLE|cluster\.unreachable/);
    expect(stderr).toMatch(/refused/);
  });

  it("while helm works ends with its words, and the same command ends what helm left and goes on", async () => {
    await siteOver(await relayed());
    const running = install();
    await released("pending-install");
    await relay().cut();
    const { exitCode, failure, stderr } = await ended(running);
    expect(exitCode, stderr).toBe(1);
    expect(failure, stderr).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    await relay().mend();
    await goesThrough();
  });

  it("or only takes connections and says nothing: ends within a minute, and the same command goes on", async () => {
    await siteOver(await relayed());
    const running = install();
    await running.says((event) => event["phase"] === "plugins" && event["state"] === "started");
    relay().hush();
    const since = Date.now();
    const { exitCode, failure, stderr } = await ended(running);
    expect(exitCode, stderr).toBe(1);
    expect(failure, stderr).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    // One call is given up after a minute; the rest is for a busy machine.
    expect(Date.now() - since).toBeLessThan(150_000);
    await relay().mend();
    await goesThrough();
  });

  it("or is slow goes through", async () => {
    await siteOver(await relayed(), 300);
    relay().slow(60);
    const installed = await far().run(["install", carried.bundle]);
    expect(installed, said(installed)).toMatchObject({ exitCode: 0 });
  });
});

/** When helm has written down that it works. */
async function released(status: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/secrets?labelSelector=${encodeURIComponent(`owner=helm,status=${status}`)}`;
  const end = Date.now() + 300_000;
  while (Date.now() < end) {
    const { items } = (await far().cluster.api.get(path)) as { items: readonly unknown[] };
    if (items.length > 0) return;
    // The machine is for helm.
    await delay(50);
  }
  throw new Error(`no release is ${status}`);
}
