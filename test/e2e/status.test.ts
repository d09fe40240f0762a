import { beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { aFarSide, farSideUnavailable, kubectl, namespace, said, succeeds, type FarSide } from "../rig/far-side.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(`a look at what stands there${because}`, () => {
  let far: FarSide;
  let bundle: string;

  beforeAll(async () => {
    const folder = await aTempDirectory();
    bundle = await aBuiltBundle({ folder: folder.path });
    far = await aFarSide({ helm: "3.17" });
    return async () => {
      await far[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
  });

  it("is given before and after an install, with what may not be read, and rollback goes to any install of history", async () => {
    const nothing = await succeeds(far, ["status"]);
    expect(nothing.stdout).toBe(`release higress in ${namespace}, registry harbor.airgap.example:8443/higress
release higress: helm has none of this name in ${namespace}
  nothing of it runs here
gateway: no service leads to it
console: no service leads to it
plugins: none
receipts: none in ${far.folder}/higress-airgap.state
last check: none that a receipt tells of`);
    expect((await succeeds(far, ["history"])).stdout).toMatch(/^helm has no release higress in higress-system/);

    await succeeds(far, ["install", bundle]);
    await expectsOneInstall(far, bundle);
    for (const replicas of [2, 3]) {
      await far.writeSite({ values: { "higress-core": { gateway: { replicas } } } });
      const skipped = ["verify", "preflight", "push", "plugins", "check"].flatMap((phase) => ["--skip", phase]);
      await succeeds(far, ["install", bundle, ...skipped]);
    }
    // Helm keeps ten revisions, and somebody may tidy up.
    await kubectl(far, "delete", "secret", "sh.helm.release.v1.higress.v2");
    const gone = await far.run(["rollback", "--to", "2", "--yes"]);
    expect(gone, said(gone)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("REVISION_GONE") as string });
    const unknown = await far.run(["rollback", "--to", "3", "--yes"]);
    expect(unknown, said(unknown)).toMatchObject({ exitCode: 2 });
    expect(unknown.stderr).toContain("--to 3: allowed are 1, 2");
    expect(await gatewayReplicas(far)).toBe("3");
    await succeeds(far, ["rollback", "--to", "1", "--yes"]);
    expect(await gatewayReplicas(far)).toBe("1");
    const { history } = JSON.parse((await succeeds(far, ["history", "--json"])).stdout) as History;
    const rows = history.map(({ revision, install, current }) => [revision, install?.number, install?.state, current]);
    expect(rows).toEqual([
      [1, 1, "done", false],
      [2, 2, "undone", false],
      [3, 3, "undone", false],
      [4, undefined, undefined, true],
    ]);
  });
});

async function expectsOneInstall(far: FarSide, bundle: string): Promise<void> {
  const { stdout } = await succeeds(far, ["status", bundle]);
  for (const line of [
    /^release higress: higress 2\.2\.4, revision 1, deployed\n {2}installed by higress-airgap \S+: install 1 of \S+ 2\.2\.4, begun \d/m,
    /^gateway: \S+:\d+.* \((NodePort|LoadBalancer) higress-system\/higress-gateway\)$/m,
    /^console: higress-console\.higress-system\.svc:8080 \(ClusterIP higress-system\/higress-console\)$/m,
    /^key-auth +1\.0\.0 +on +not seen +\S+ +\S+ +sha256:[0-9a-f]{12} +oci:\/\/harbor\.airgap\.example:8443\/higress\//m,
    /^ {2}beside the release: configmap\/higress-airgap-receipt, of install 1\nlast check: done, \S+ \S+ UTC, by install 1\n/m,
    /^newer in the bundle: nothing$/m,
  ])
    expect(stdout).toMatch(line);
  expect(stdout).toContain(`receipts in ${far.folder}/higress-airgap.state`);
  const json = JSON.parse((await succeeds(far, ["status", bundle, "--json"])).stdout) as unknown;
  expect(json).toMatchObject({
    releases: [{ revision: 1, installer: { by: "receipt", number: 1 } }],
    plugins: [{ name: "key-auth", on: true, gateway: "none" }],
    receipts: { all: [{ number: 1 }] },
    lastCheck: { state: "done" },
    newer: [],
  });
  const history = await succeeds(far, ["history"]);
  expect(history.stdout).toMatch(/^1 +1 +[-\d]+ \d\d:\d\d +deployed +higress-2\.2\.4 +\S+ 2\.2\.4 +this is it$/m);
  const plugins = await succeeds(far, ["plugins", "list", bundle]);
  expect(plugins.stdout).toMatch(/^key-auth +1\.0\.0 +1\.0\.0 +on +not seen/m);

  // Who may not read helm's secrets is told so, and of everything else.
  const kubeconfig = await far.cluster.restrictedKubeconfig("elsewhere");
  const blind = await succeeds(far, ["status", "--kubeconfig", kubeconfig]);
  expect(blind.stdout).toMatch(/^not read: helm's releases: .*forbidden/m);
  expect(blind.stdout).toMatch(/^not read: plugins: .*forbidden/m);
  expect(blind.stdout).not.toMatch(/plugins: none|no service leads/);
  expect(blind.stdout.length, blind.stdout).toBeLessThan(6000);
}

interface History {
  readonly history: readonly {
    readonly revision?: number;
    readonly install?: { readonly number: number; readonly state: string };
    readonly current: boolean;
  }[];
}

function gatewayReplicas(far: FarSide): Promise<string> {
  return kubectl(far, "get", "deployment", "higress-gateway", "-o", "jsonpath={.spec.replicas}");
}
