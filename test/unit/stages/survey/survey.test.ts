import { describe, expect, it } from "vitest";
import { Failure } from "../../../../src/model/failure.ts";
import type { ListedRelease, ReleaseChart } from "../../../../src/model/helm.ts";
import { compareOwnerValues } from "../../../../src/stages/survey/owner-values.ts";
import type { SurveyPort } from "../../../../src/stages/survey/ports.ts";
import { surveyReleases, undecided } from "../../../../src/stages/survey/survey.ts";

const wanted = { name: "higress", release: "higress", namespace: "higress-system" };
const stands: ReleaseChart = { chart: "higress", version: "2.1.9", revision: 3, status: "deployed" };
const values = { global: { ingressClass: "bank" } };

function helmWith(about: ReleaseChart | Error | undefined, all: readonly ListedRelease[] | Error = []): SurveyPort {
  const given = <T>(answer: T | Error): Promise<T> =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  return { metadata: () => given(about), values: () => Promise.resolve(values), list: () => given(all) };
}

const survey = (helm: SurveyPort, ours = false) =>
  surveyReleases([wanted], { helm, isOurs: () => ours, signal: new AbortController().signal });

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
    expect((await survey(helmWith(about))).findings).toMatchObject([{ code, severity: "error" }]);
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

describe("the values of an owner", () => {
  const chart = {
    defaults: { global: { ingressClass: "higress", hub: "public" }, gateway: { replicas: 2, env: {} } },
    read: [
      ["gateway", "env"],
      ["gateway", "imagePullSecrets"],
    ],
  };
  const owner = {
    global: { ingressClass: "bank", hub: "old" },
    gateway: { replicas: 4, env: { DB_PASSWORD: "s3cret", URL: "https://me:s3cret@db.example", LONG: "x".repeat(90) } },
    dashboard: { on: true },
  };

  it("stay, are changed by what lies over them, or are no longer read; secrets are not shown", () => {
    const compared = compareOwnerValues(owner, { global: { hub: "harbor" } }, chart);
    expect(compared).toEqual({
      kept: [
        "global.ingressClass=bank",
        "gateway.replicas=4",
        "gateway.env.DB_PASSWORD=***",
        "gateway.env.URL=***",
        `gateway.env.LONG=${"x".repeat(60)}…`,
      ],
      overridden: ["global.hub: old → harbor"],
      unread: ["dashboard.on"],
    });
    expect(JSON.stringify(compared)).not.toContain("s3cret");
  });
});
