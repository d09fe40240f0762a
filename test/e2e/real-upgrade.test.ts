import { execa } from "execa";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { everythingOn } from "../rig/charts/everything-on.ts";
import {
  aFarSide,
  farSideUnavailable,
  harborHost,
  kubectl,
  namespace,
  said,
  succeeds,
  type FarSide,
} from "../rig/far-side.ts";
import { aRealBundle, seedImagesOf } from "../rig/real-bundle.ts";
import { aDockerRegistry } from "../rig/registry-process.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const chart = process.env["HIGRESS_CHART"] ?? "";
const older = join(dirname(chart), "higress-2.1.9.tgz");
const unavailable =
  chart === "" || !existsSync(older)
    ? "HIGRESS_CHART names no packed Higress chart 2.2.4 with higress-2.1.9.tgz beside it"
    : farSideUnavailable();
const because = unavailable === undefined ? "" : ` (skipped: ${unavailable})`;

/** Nothing here gives out disks, which the monitoring suite wants. */
const withoutDisks = {
  ...everythingOn,
  global: { ...everythingOn.global, o11y: { enabled: false } },
  "higress-console": { ...everythingOn["higress-console"], o11y: { enabled: false } },
};

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

    await succeeds(far, ["rollback", "--yes"]);
    expect(await imagesOf(far)).toEqual(before);
    await succeeds(far, ["check", first.bundle]);
  });

  it("of somebody else are taken over at 2.0.7, upgraded across 2.1.11 and 2.2.1 to 2.2.4, and given back", async () => {
    const beside = (version: string): string => join(dirname(chart), `higress-${version}.tgz`);
    await using old = await aDockerRegistry();
    await using far = await aFarSide({
      helm: "4.1",
      hosts: { "higress-registry.cn-hangzhou.cr.aliyuncs.com": old.url },
    });
    await using folder = await aTempDirectory();
    await seedImagesOf(old.url, { chart: beside("2.0.7"), helm: far.tools.helm });
    // The owner has helm 3, and this side helm 4.
    const set = ["--set", "higress-core.gateway.replicas=3", "--set", "global.ingressClass=bank"];
    const where = ["-n", namespace, "--create-namespace", "--kubeconfig", far.cluster.kubeconfig];
    await execa((await tools("3.17")).helm, ["install", "higress", beside("2.0.7"), ...where, ...set]);
    const before = await imagesOf(far);
    const crds = await storedVersions(far);

    const steps = [
      { version: "2.1.11", like: "2.1.9", more: ["--existing", "keep-values", "--force-conflicts"] },
      { version: "2.2.1", like: "2.2.0", more: [] },
      { version: "2.2.4", like: undefined, more: [] },
    ];
    for (const { version, like, more } of steps) {
      const made = { folder: folder.path, helm: far.tools.helm, chart: beside(version), version, like };
      const { bundle, built } = await aRealBundle(made);
      expect(built.exitCode, said(built)).toBe(0);
      const { stderr } = await succeeds(far, ["install", bundle, ...more]);
      // What the API server fills in is no change by hand.
      expect(stderr).not.toContain("release-drift");
      await succeeds(far, ["check", bundle]);
      expect((await imagesOf(far)).filter((image) => !image.startsWith(`${harborHost}/`))).toEqual([]);
      expect(await kubectl(far, "get", "deployment", "higress-gateway", "-o", "jsonpath={.spec.replicas}")).toBe("3");
      expect(await kubectl(far, "get", "deployment", "higress-controller", "-o", "yaml")).toContain(
        "--ingressClass=bank",
      );
      expect(await storedVersions(far)).toMatchObject(crds);
    }
    for (let at = 0; at < steps.length; at += 1) await succeeds(far, ["rollback", "--yes"]);
    expect(await imagesOf(far)).toEqual(before);
    expect(await kubectl(far, "get", "deployment", "higress-gateway", "-o", "jsonpath={.spec.replicas}")).toBe("3");
  });

  it("are installed with everything on; a second install changes nothing, and an uninstall leaves nothing", async () => {
    await using far = await aFarSide({ helm: "4.2" });
    await using folder = await aTempDirectory();
    const made = { folder: folder.path, helm: far.tools.helm, values: withoutDisks };
    const { bundle, built } = await aRealBundle({ ...made, chart, version: "2.2.4" });
    expect(built.exitCode, said(built)).toBe(0);
    const refused = await far.run(["install", bundle]);
    expect(refused, said(refused)).toMatchObject({ exitCode: 3 });
    expect(refused.stderr).toContain("the cluster does not know PodMonitor monitoring.coreos.com/v1");
    expect(refused.stderr).not.toContain("push to the registry");

    await far.writeSite({
      plugins: { watchSeconds: 1, enable: ["key-auth", "ai-proxy"] },
      values: { "higress-core": { gateway: { metrics: { enabled: false } } } },
    });
    await succeeds(far, ["install", bundle]);
    await succeeds(far, ["doctor"]);
    const before = await generationsOf(far);
    await succeeds(far, ["install", bundle]);
    expect(await generationsOf(far)).toEqual(before);
    await succeeds(far, ["check", bundle]);
    const compared = await far.run(["render", bundle, "--out", join(folder.path, "out"), "--diff"]);
    expect(compared, said(compared)).toMatchObject({ exitCode: 0 });

    await succeeds(far, ["uninstall", "--yes"]);
    const kinds = "deployments,daemonsets,statefulsets,services,configmaps,secrets,jobs,wasmplugins,ingresses";
    expect((await kubectl(far, "get", kinds, "-o", "name")).split("\n")).toEqual(["configmap/kube-root-ca.crt"]);
    expect(await kubectl(far, "get", "clusterroles,clusterrolebindings", "-o", "name")).not.toContain("higress");
  });
});

const workloads = "deployments,daemonsets,statefulsets";

async function imagesOf(far: FarSide): Promise<readonly string[]> {
  const path = "jsonpath={.items[*].spec.template.spec.containers[*].image}";
  return [...new Set((await kubectl(far, "get", workloads, "-o", path)).split(" "))].sort();
}

/** Objects are stored in these: a CRD that no longer has one of them would lose them. */
async function storedVersions(far: FarSide): Promise<Readonly<Record<string, readonly string[]>>> {
  const { items } = JSON.parse(await kubectl(far, "get", "crds", "-o", "json")) as {
    items: { metadata: { name: string }; status: { storedVersions: string[] } }[];
  };
  return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status.storedVersions]));
}

/** They grow with every change of a spec. */
function generationsOf(far: FarSide): Promise<string> {
  const path = "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {end}";
  return kubectl(far, "get", `${workloads},wasmplugins`, "-o", path);
}
