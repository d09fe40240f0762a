import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { mapItems } from "../../src/stages/relocate/mapping.ts";
import { pushItems } from "../../src/stages/push/push.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { cli } from "../rig/cli.ts";
import { aCluster, type Cluster } from "../rig/cluster.ts";
import { aKubelet } from "../rig/fake-kubelet.ts";
import { farSideUnavailable } from "../rig/far-side.ts";
import { anImage } from "../rig/graph.ts";
import { registryOf } from "../rig/harbor/access.ts";
import { admin, aHarbor, type Harbor } from "../rig/harbor/harbor.ts";
import type { Identity } from "../rig/harbor/state.ts";
import { aLockItem } from "../rig/lock-item.ts";
import { sampleContent } from "../rig/sample-site.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { tools } from "../rig/tools.ts";
import { expectOnPage, screenOf } from "../rig/transcript.ts";
import { aSource } from "../unit/stages/push/memory-target.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const host = "harbor.corp.example";

/** Pushes images, and may only pull charts: the robot was made for one project too few. */
const robot: Identity = {
  name: "robot$higress+push",
  secret: "planted-secret-of-the-robot",
  projects: { higress: ["pull", "push"], charts: ["pull"] },
};

interface Side {
  readonly folder: string;
  readonly harbor: Harbor;
  readonly cluster: Cluster;
  readonly ca: string;
}

async function writeSite({ folder, harbor, cluster, ca }: Side): Promise<void> {
  const { helm, kubectl } = await tools("4.1");
  await writeFile(join(folder, "password"), robot.secret, { mode: 0o600 });
  const credentials = { username: robot.name, passwordFile: join(folder, "password") };
  const site = {
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: {
      host,
      project: "higress",
      ca,
      credentials,
      pathTemplate: { plugin: "{registry}/plugins/{path}", chart: "{registry}/charts/{path}" },
    },
    cluster: { kubeconfig: cluster.kubeconfig, helm, kubectl },
    plugins: { enable: ["key-auth"] },
    registries: { [host]: { endpoints: [{ url: harbor.origin, ca, credentials }] } },
  };
  await writeFile(join(folder, "site.yaml"), JSON.stringify(site));
}

/** Somebody pushed another image under a tag that a rule guards since then. */
async function pushAnother(harbor: Harbor, ca: string): Promise<void> {
  const image = anImage({ layers: [{ "etc/motd": "another build\n" }] });
  const items = [aLockItem("registry.higress.example/higress/gateway:1.0.0", image)];
  const { mapped } = mapItems(items, { registry: harbor.host, project: "higress", templates: {} });
  await using registry = registryOf(harbor, admin, { ca: [await readFile(ca, "utf8")] });
  await pushItems(mapped, aSource([image]), registry);
}

function breakEverything(harbor: Harbor): void {
  harbor.set({
    creation: "adminonly",
    realm: "https://10.20.30.40/service/token",
    clockSkew: 300,
    bodyLimit: 1024 ** 2,
    unhealthy: ["redis"],
    project: { higress: { quota: 5 * 1024 ** 2, immutable: ["higress/gateway:1.0.0"], preventVulnerable: true } },
  });
}

describe.skipIf(unavailable !== undefined)(`preflight against a Harbor with many faults at once${because}`, () => {
  const at = { folder: "" };
  beforeAll(async () => {
    const directory = await aTempDirectory();
    at.folder = directory.path;
    // Larger than what a proxy takes that nobody has configured.
    await aBuiltBundle({ folder: at.folder, content: sampleContent(3_000_000) });
    return () => directory[Symbol.asyncDispose]();
  });

  it.each(["en", "zh"] as const)("reports all of them in one run, as docs/%s shows", async (language) => {
    await using company = await aCertificateAuthority({ names: [host], days: 20 });
    await using harbor = await aHarbor({
      tls: company.tls,
      projects: { higress: {}, charts: {} },
      users: [admin, robot],
    });
    await using cluster = await aCluster();
    await using kubelet = await aKubelet({ cluster });
    const { folder } = at;
    await writeSite({ folder, harbor, cluster, ca: company.caFile });
    await pushAnother(harbor, company.caFile);
    breakEverything(harbor);
    harbor.reset();
    const words = ["preflight", "bundle.tar", "--site", "site.yaml", "--lang", language];
    const result = await cli(words, { cwd: folder });
    // The Date header has no fractions of a second, and an answer is under way for some on a busy machine.
    const steady = [[/ (2[6-9]\d|300) /g, " 300 "]] as const;
    const screen = screenOf({ command: `higress-airgap ${words.slice(0, 4).join(" ")}`, result, steady });
    expect(result.exitCode).toBe(3);
    expect(screen).not.toContain("planted");
    expect(kubelet.pulled).toEqual([]);
    await expectOnPage(`docs/${language}/preflight.md`, "transcript", screen);
  });
});
