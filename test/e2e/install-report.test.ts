import { execa } from "execa";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { InstallEvidence } from "../../src/model/evidence.ts";
import { builtForAll } from "../rig/built-bundle.ts";
import { noChromium, visit } from "../rig/chromium.ts";
import { aFarSide, farSideUnavailable, harborHost, password, said, type FarSide } from "../rig/far-side.ts";
import { startCli } from "../rig/running-cli.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const carried = builtForAll(unavailable);

async function reportOf(
  far: FarSide,
  name = "evening",
): Promise<{ json: InstallEvidence; text: string; html: string }> {
  const text = await readFile(join(far.folder, `${name}.json`), "utf8");
  return {
    json: JSON.parse(text) as InstallEvidence,
    text,
    html: await readFile(join(far.folder, `${name}.html`), "utf8"),
  };
}

const wholeInstall = (...more: readonly string[]) => ["install", carried.bundle, "--report", "evening", ...more];

describe.skipIf(unavailable !== undefined)(`install --report${because}`, () => {
  it("writes what was verified, pushed, proved and changed, and the very commands that undo it", async () => {
    await using far = await aFarSide({ helm: "4.2" });
    const installed = await far.run(wholeInstall("--lang", "zh"));
    expect(installed, said(installed)).toMatchObject({ exitCode: 0 });
    const { json, text, html } = await reportOf(far);

    expect(json).toMatchObject({ outcome: "done", bundle: { name: "higress", version: "2.2.4" } });
    expect(json).not.toHaveProperty("failure");
    expect(json.bundle?.id).toMatch(/^[0-9a-f]{64}$/);
    expect(json.verified?.entries).toBeGreaterThan(20);
    expect(json.phases.map(({ phase, state }) => `${phase} ${state}`)).toEqual(
      ["verify", "preflight", "push", "render", "prove", "apply", "plugins", "check"].map((phase) => `${phase} done`),
    );
    tellsWhatWasDone(json);
    for (const written of [text, html]) {
      expect(written).not.toContain(password);
      expect(written).not.toContain(Buffer.from(`pusher:${password}`).toString("base64"));
    }
    await reads(far, html);

    const last = json.undo.at(-1);
    expect(json.undo.map(({ does }) => does)).toEqual(["uninstall", "uninstall-all"]);
    // Whoever types it at a terminal is asked; nobody is here.
    const typed = `${last?.command ?? ""} --yes`;
    const undone = await execa("sh", ["-c", typed], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", HOME: far.folder },
      extendEnv: false,
      reject: false,
    });
    expect(undone.exitCode, undone.stderr).toBe(0);
    expect(await far.cluster.api.get("/api/v1/namespaces/higress-system").catch(() => "gone")).toSatisfy(isGoing);
  });

  it("says of a second install that nothing was sent, and how to go back to the first", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    expect(await far.run(["install", carried.bundle])).toMatchObject({ exitCode: 0 });
    await far.writeSite({ values: { "higress-core": { gateway: { replicas: 2 } } } });
    expect(await far.run(wholeInstall())).toMatchObject({ exitCode: 0 });
    const { json } = await reportOf(far);
    expect(json.pushed).toMatchObject({ uploaded: 0, ended: true });
    expect(json.changed).toMatchObject({ receipt: 2, helm: { revision: 2, previousRevision: 1 } });
    expect(json.undo[0]).toMatchObject({ does: "rollback", to: "higress 2.2.4 (#1)" });
    expect(json.undo[0]?.command).toContain(`rollback --site ${far.site}`);
  });

  it("tells of an install that findings stopped, with each remedy, and that there is nothing to undo", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    await far.writeSite({ plugins: { watchSeconds: 1, enable: ["key-auht"] } });
    const stopped = await far.run(wholeInstall());
    expect(stopped, said(stopped)).toMatchObject({ exitCode: 3 });
    const { json, html } = await reportOf(far);
    expect(json).toMatchObject({ outcome: "failed", failure: { code: "FINDINGS" } });
    expect(json.findings).toContainEqual(
      expect.objectContaining({
        code: "plugin.not-carried",
        remedy: expect.stringContaining("plugins.list") as string,
      }),
    );
    expect(html).toContain("[FINDINGS]");
    expect(html).toContain("plugin.not-carried");
  });

  it("is there after Ctrl-C, and after kill -9", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    const started = startCli(far.args(wholeInstall()), { cwd: far.folder });
    await started.says((event) => event.type === "phase" && event["phase"] === "apply" && event["state"] === "started");
    started.signal("SIGINT");
    expect(await started.result).toMatchObject({ exitCode: 130 });
    const { json, html } = await reportOf(far);
    expect(json).toMatchObject({ outcome: "interrupted", failure: { code: "INTERRUPTED" } });
    expect(json.phases.at(-1)).toMatchObject({
      phase: "apply",
      state: expect.stringMatching(/^(started|failed)$/) as string,
    });
    expect(json.undo.map(({ does }) => does)).toContain("uninstall");
    expect(html).toContain("It was interrupted.");

    const killed = startCli(far.args(wholeInstall()), { cwd: far.folder });
    await killed.says((event) => event.type === "phase" && event["phase"] === "render" && event["state"] === "started");
    killed.kill();
    await killed.result;
    const left = await reportOf(far);
    expect(left.json).toMatchObject({ outcome: "running", pushed: { ended: true } });
    expect(left.html).toContain("It did not end");
  });

  it("refuses a place that cannot be written before anything is done", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    const refused = await far.run(["install", carried.bundle, "--report", "site.yaml/evening"]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("FILE_UNWRITABLE") as string });
    expect(await readdir(far.folder)).not.toContain("higress-airgap.state");
  });
});

function tellsWhatWasDone({ pushed, proved, changed }: InstallEvidence): void {
  expect(pushed?.ended).toBe(true);
  expect(pushed?.uploaded).toBeGreaterThan(10_000);
  expect(pushed?.tags.every(({ reference }) => reference.startsWith(`${harborHost}/higress/`))).toBe(true);
  expect(proved).toMatchObject({ findings: 0 });
  expect(proved?.images).toBeGreaterThan(5);
  expect(changed).toMatchObject({ receipt: 1, helm: { revision: 1 } });
  expect(changed?.release).toContain("Deployment/higress-gateway");
  expect(changed?.objects.map(({ resource, did }) => `${resource} ${did}`)).toContain("namespaces created");
  expect(changed?.crds.map(({ name }) => name)).toContain("wasmplugins.extensions.higress.io");
  expect(changed?.plugins).toMatchObject([{ name: expect.stringContaining("key-auth") as string, state: "on" }]);
}

async function reads(far: FarSide, html: string): Promise<void> {
  expect(html).toContain('<html lang="zh-CN">');
  expect(html).not.toMatch(/\s(?:src|href)=|@import|url\(|<link|<iframe/i);
  if (noChromium !== undefined) return;
  const { dom, console } = await visit(join(far.folder, "evening.html"), far.folder);
  expect(console).toEqual([]);
  expect(dom).toContain("如何撤销");
}

/** The API server ends a namespace in its own time. */
function isGoing(found: unknown): boolean {
  return found === "gone" || JSON.stringify(found).includes("Terminating");
}
