import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../src/model/kubernetes.ts";
import { Failure } from "../../../../src/model/failure.ts";
import type { ListedRelease, ReleaseChart } from "../../../../src/model/helm.ts";
import {
  releaseDrift,
  surveyReleases,
  unadoptable,
  undecided,
  type SurveyPort,
} from "../../../../src/stages/survey/survey.ts";
import { liveFields } from "../../../../src/stages/survey/live-fields.ts";
import { changesOf, unreleasedObjects, type UnreleasedObjects } from "../../../../src/stages/survey/unreleased.ts";

const wanted = { name: "higress", release: "higress", namespace: "higress-system" };
const stands: ReleaseChart = {
  chart: "higress",
  version: "2.1.9",
  revision: 3,
  status: "deployed",
  isServerSide: false,
};
const values = { global: { ingressClass: "bank" } };

function helmWith(about: ReleaseChart | Error | undefined, all: readonly ListedRelease[] | Error = []): SurveyPort {
  const given = <T>(answer: T | Error): Promise<T> =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  return {
    metadata: () => given(about),
    values: () => Promise.resolve(values),
    history: () =>
      Promise.resolve(
        ["superseded", "deployed", "failed"].map((status, at) => ({
          revision: at + 1,
          status,
          updated: "",
          chart: "",
        })),
      ),
    list: () => given(all),
    getManifest: () => given(""),
  };
}

const survey = (helm: SurveyPort, ours = false, found?: UnreleasedObjects) =>
  surveyReleases([wanted], {
    helm,
    isOurs: () => ours,
    isCutOff: () => false,
    unreleased: () => Promise.resolve(found),
    signal: new AbortController().signal,
  });

describe("what stands where a release will be", () => {
  it("is nobody's, ours, or somebody else's with what its owner set", async () => {
    expect(await survey(helmWith(undefined))).toEqual({ foreign: [], findings: [] });
    expect(await survey(helmWith(stands), true)).toEqual({ foreign: [], findings: [] });
    const { foreign, findings } = await survey(helmWith(stands));
    expect(findings).toEqual([]);
    expect(foreign).toEqual([{ release: "higress", namespace: "higress-system", ...stands, values }]);
    expect(undecided(foreign[0]!)).toMatchObject({
      severity: "error",
      facts: { set: "global.ingressClass", revision: 3 },
    });
  });

  it.each([
    [{ ...stands, chart: "traefik" }, "cluster.release-other-chart"],
    [{ ...stands, status: "pending-upgrade" }, "cluster.release-pending"],
    [{ ...stands, status: "failed" }, "cluster.release-pending"],
  ])("cannot be taken over as %j", async (about, code) => {
    const { findings } = await survey(helmWith(about));
    expect(findings).toMatchObject([{ code, severity: "error" }]);
    // What goes back is said with all that helm wants to be told.
    const back = { namespace: "higress-system", revision: 2 };
    if (code === "cluster.release-pending") expect(findings).toMatchObject([{ facts: back }]);
  });

  it("cannot be told where helm's Secrets may not be read, which is said", async () => {
    const forbidden = new Failure("CLUSTER_FORBIDDEN", { action: "helm get", output: "secrets is forbidden" });
    const { foreign, findings } = await survey(helmWith(forbidden, forbidden));
    expect(foreign).toEqual([]);
    expect(findings).toMatchObject([
      { code: "cluster.release-unreadable", severity: "error", facts: { why: "secrets is forbidden" } },
      { code: "cluster.not-asked", severity: "note" },
    ]);
  });

  it("may have a second one beside it", async () => {
    const all = [
      { release: "higress", namespace: "higress-system", chart: "higress-2.1.9" },
      { release: "gw", namespace: "team-a", chart: "higress-2.2.4" },
      { release: "redis", namespace: "team-a", chart: "redis-1.0.0" },
    ];
    expect((await survey(helmWith(stands, all))).findings).toMatchObject([
      { code: "cluster.release-elsewhere", severity: "warning", facts: { release: "gw", namespace: "team-a" } },
    ]);
  });
});

describe("objects without a release", () => {
  const gateway = (replicas: number, metadata: object = {}, image = "harbor/gateway"): KubeObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "higress-gateway", namespace: "higress-system", ...metadata },
    spec: {
      replicas,
      template: {
        spec: {
          containers: [{ name: "gateway", image, resources: { limits: { cpu: replicas === 2 ? "2000m" : "2" } } }],
        },
      },
    },
  });
  const service: KubeObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "old", namespace: "higress-system", uid: "u", labels: { "helm.sh/chart": "higress-core-2.0.7" } },
    spec: { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [{ port: 80 }] },
    status: { loadBalancer: {} },
  };
  const profile: KubeObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "higress-profile", namespace: "higress-system" },
    data: {
      profile: `higressVersion: 2.1.3
global: { install: k8s, ingressClass: bank, enableIstioAPI: true, namespace: higress-system }
gateway: { replicas: 4, resources: { limits: { cpu: 2000m } } }
console: { replicas: 1 }
values: { higress-core: { gateway: { replicas: 5 } } }
`,
    },
  };
  const found = (live: readonly KubeObject[], rendered = [gateway(2)]) =>
    unreleasedObjects({ chart: "higress", namespace: "higress-system", rendered, live });

  it("are those of the chart that no release owns, as they stand", () => {
    const marked = gateway(4, { annotations: { "meta.helm.sh/release-name": "other" } });
    expect(found([])).toBeUndefined();
    expect(found([marked, service])).toBeUndefined();
    expect(found([{ ...gateway(4), metadata: { ...gateway(4).metadata, name: "else" } }])).toBeUndefined();
    const taken = found([gateway(4, { uid: "x", generation: 3 }, "public/gateway"), service])!;
    expect(taken).toMatchObject({ by: "kubectl apply", version: "2.0.7", values: undefined });
    expect(taken.objects).toEqual([
      { ...gateway(4, {}, "public/gateway"), metadata: { ...gateway(4).metadata, annotations: {} } },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "old", namespace: "higress-system", labels: service.metadata.labels, annotations: {} },
        spec: { ports: [{ port: 80 }] },
      },
    ]);
    expect(taken.changes.map(({ path, live, written }) => `${path} ${live} ${written}`)).toEqual([
      "spec.replicas 4 2",
      "spec.template.spec.containers[gateway].image public/gateway harbor/gateway",
    ]);
  });

  it("have the values that hgctl wrote down; others have none that could be kept, which is said", async () => {
    const taken = found([gateway(4), profile])!;
    expect(taken).toMatchObject({ by: "hgctl", version: "2.1.3" });
    expect(taken.values).toEqual({
      // What is off is not written, and set all the same: the chart has the Gateway API on.
      global: { ingressClass: "bank", enableIstioAPI: true, enableGatewayAPI: false },
      "higress-console": { replicaCount: 1, o11y: { enabled: false } },
      "higress-core": { gateway: { replicas: 5, resources: { limits: { cpu: "2000m" } } } },
    });
    const [theirs] = (await survey(helmWith(undefined), false, taken)).foreign;
    expect(undecided(theirs!)).toMatchObject({ code: "cluster.objects-foreign", facts: { by: "hgctl", count: 1 } });
    expect(unadoptable(theirs!, "keep-values")).toBeUndefined();
    const [applied] = (await survey(helmWith(undefined), false, found([gateway(4)]))).foreign;
    expect(unadoptable(applied!, "site-values")).toBeUndefined();
    expect(unadoptable(applied!, "keep-values")).toMatchObject({
      code: "cluster.values-unknown",
      facts: { changes: "Deployment/higress-system/higress-gateway spec.replicas: 4 → 2" },
    });
    const broken = { ...profile, data: { profile: "[" } };
    expect(found([gateway(4), broken])).toMatchObject({ by: "kubectl apply" });
  });

  it.each([
    [{ annotations: { "argocd.argoproj.io/tracking-id": "a" } }, "Argo CD"],
    [{ labels: { "kustomize.toolkit.fluxcd.io/name": "a" } }, "Flux"],
  ])("with %j belong to an engine that would take them back", async (metadata, by) => {
    const [managed] = (await survey(helmWith(undefined), false, found([gateway(4, metadata)]))).foreign;
    expect(unadoptable(managed!, "site-values")).toMatchObject({ code: "cluster.objects-managed", facts: { by } });
  });

  it("differ from what was written only in what was written", () => {
    const written = { apiVersion: "v1", kind: "A", metadata: { name: "a" }, spec: { a: "1", b: false, c: { d: "x" } } };
    const fields = (spec: object, of = written) => liveFields(of, { ...of, spec });
    expect(fields({ a: 1, more: true, c: { d: "x" } })).toEqual([]);
    expect(fields({ a: "1" })).toMatchObject([{ object: "A/a", path: "spec.c.d", written: "x", live: "-" }]);
    expect(fields({ a: 2 }, { ...written, kind: "Secret" })).toEqual([]);
    const secret = { ...written, spec: { a: "1", env: [{ name: "DB_PASSWORD", value: "s3cret" }] } };
    const masked = liveFields(secret, {
      ...secret,
      spec: { a: "1", env: [{ name: "DB_PASSWORD", value: "x" }] },
    });
    expect(masked).toMatchObject([{ path: "spec.env[DB_PASSWORD].value", written: "***", live: "***" }]);
  });

  it("of a release are told with what was written, where somebody changed them since", () => {
    const live = [gateway(5)];
    const changes = changesOf({ ...gateway(4), metadata: { name: "higress-gateway" } }, live, "higress-system");
    expect(releaseDrift({ release: "higress", revision: 3 }, changes)).toMatchObject({
      severity: "warning",
      code: "cluster.release-drift",
      facts: { revision: 3, changes: "Deployment/higress-gateway spec.replicas: 5 → 4" },
    });
    expect(changesOf(service, live, "higress-system")).toEqual([]);
  });
});
