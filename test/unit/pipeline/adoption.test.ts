import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import type { KubeObject } from "../../../src/model/kubernetes.ts";
import { adopt, type AdoptionPorts } from "../../../src/pipeline/adoption.ts";
import { aReceipt } from "../../rig/receipt.ts";
import type { InstallPlan, PlannedChart } from "../../../src/pipeline/install-plan.ts";

const chart: PlannedChart = {
  name: "higress",
  version: "2.2.4",
  file: "charts/higress.tgz",
  release: "higress",
  namespace: "higress-system",
  relocation: { images: [], trust: [], console: undefined, patches: [] } as unknown as PlannedChart["relocation"],
  values: [{}, { relocated: true }],
  own: [],
  below: 1,
  patches: [],
};
const plan = { charts: [chart], mapped: [] } as unknown as InstallPlan;
const forbidden = new Failure("CLUSTER_FORBIDDEN", { action: "get", output: "may not list" });
const gateway = (replicas: number): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "higress-gateway", namespace: "higress-system" },
  spec: { replicas },
});

function portsWith(over: Partial<AdoptionPorts>, released = true): AdoptionPorts {
  const about = { chart: "higress", version: "2.1.9", revision: 3, status: "deployed", isServerSide: false };
  return {
    helm: {
      metadata: () => Promise.resolve(released ? about : undefined),
      values: () => Promise.resolve({ gateway: { replicas: 4 } }),
      list: () => Promise.resolve([]),
      history: () => Promise.resolve([]),
      getManifest: () => Promise.resolve(JSON.stringify(gateway(4))),
    },
    cluster: { list: () => Promise.resolve([]) },
    render: () => Promise.resolve([gateway(2)]),
    receipts: [],
    chartValues: () => Promise.resolve({ defaults: {}, read: [["gateway", "replicas"]] }),
    decide: () => Promise.resolve("refuse"),
    named: undefined,
    planOver: () => Promise.resolve(plan),
    signal: new AbortController().signal,
    ...over,
  };
}
const codes = ({ findings }: { readonly findings: readonly { readonly code: string }[] }): readonly string[] =>
  findings.map(({ code }) => code);

describe("what stands where an install would be", () => {
  it("is refused also where its objects may not be looked at: what somebody changed is then not told, and nothing is lost", async () => {
    const refused = await adopt(plan, portsWith({ cluster: { list: () => Promise.reject(forbidden) } }));
    expect(refused).toMatchObject({ refused: true, records: [] });
    expect(codes(refused)).toEqual(["cluster.not-asked", "cluster.release-foreign"]);
  });

  it("is told with what somebody changed by hand since", async () => {
    const list = <T>(): Promise<readonly T[]> => Promise.resolve([gateway(7)] as unknown as readonly T[]);
    const kept = await adopt(plan, portsWith({ cluster: { list }, decide: () => Promise.resolve("keep-values") }));
    expect(kept).toMatchObject({ refused: false, records: [{ revision: 3, values: "keep-values" }] });
    expect(codes(kept)).toEqual(["cluster.release-drift", "cluster.release-adopted"]);
    expect(kept.findings[0]).toMatchObject({ facts: { changes: expect.stringContaining("7 → 4") as string } });
  });

  it("is told where somebody set other values since our install, and stays unless it is decided on", async () => {
    const values = (_release: string, _namespace: string, { revision = 3 } = {}) =>
      Promise.resolve({ gateway: revision === 2 ? { replicas: 2, env: { TOKEN: "a" } } : { replicas: 4, port: "80" } });
    const receipts = [aReceipt({ number: 5, helm: { revision: 2, previousRevision: 1 } })];
    const ports = portsWith({ receipts });
    const ours = { ...ports, helm: { ...ports.helm, values } };
    const refused = await adopt(plan, ours);
    expect(refused).toMatchObject({ refused: true, records: [] });
    const changes = "gateway.replicas: 2 → 4, gateway.env.TOKEN: *** → -, gateway.port: - → 80";
    expect(refused.findings).toMatchObject([
      { severity: "error", code: "cluster.release-changed", facts: { install: 5, revision: 3, changes } },
    ]);
    const taken = await adopt(plan, { ...ours, decide: () => Promise.resolve("site-values") });
    expect(taken).toMatchObject({ refused: false, findings: [{ severity: "warning" }] });
    // As after a rollback of ours: another revision, the same values. And one that was cut off may be ours.
    expect(await adopt(plan, ports)).toMatchObject({ refused: false, findings: [] });
    const open = { ...ours, receipts: [...receipts, aReceipt({ number: 6, state: "failed" })] };
    expect(await adopt(plan, open)).toMatchObject({ refused: false, findings: [] });
  });

  it("that was taken over earlier keeps its owner's values or not as it was decided then, until the command says otherwise", async () => {
    const record = { release: "higress", namespace: "higress-system", revision: 1, chart: "higress", version: "2.0.7" };
    const adopted = (values: "keep-values" | "site-values") => [{ ...record, values }];
    const laid: unknown[] = [];
    const after = async (values: "keep-values" | "site-values", named?: AdoptionPorts["named"]) => {
      laid.length = 0;
      const receipts = [aReceipt({ helm: { revision: 3, previousRevision: 1 }, adopted: adopted(values) })];
      const planOver: AdoptionPorts["planOver"] = (owners) => Promise.resolve((laid.push(...owners), plan));
      return adopt(plan, portsWith({ receipts, named, planOver }));
    };
    const owner = { release: "higress", values: { gateway: { replicas: 4 } } };
    expect(await after("keep-values")).toMatchObject({ records: [], steps: [], refused: false });
    expect(laid).toEqual([owner]);
    expect(await after("keep-values", "keep-values")).toMatchObject({ records: [], steps: [] });
    expect(await after("keep-values", "refuse")).toMatchObject({ records: [], refused: false });
    expect(laid).toEqual([owner]);
    expect(await after("site-values")).toMatchObject({ records: [], steps: [] });
    expect(laid).toEqual([]);

    const dropped = await after("keep-values", "site-values");
    expect(dropped).toMatchObject({ records: adopted("site-values"), refused: false });
    expect(dropped.steps).toMatchObject([{ text: "owner-dropped", facts: { values: "gateway.replicas=4" } }]);
    expect(laid).toEqual([]);
    const back = await after("site-values", "keep-values");
    expect(back).toMatchObject({ records: adopted("keep-values"), steps: [{ text: "owner-kept" }] });
    expect(laid).toEqual([owner]);
  });

  it("is no decision again where an install was cut off while it made a release of objects: it goes on with what was decided", async () => {
    const record = { release: "higress", namespace: "higress-system", revision: 3, chart: "higress", version: "2.1.9" };
    const begun = { state: "failed" as const, adopted: [{ ...record, values: "keep-values" as const }] };
    const about = { chart: "higress", version: "2.1.9", revision: 3, status: "pending-install", isServerSide: false };
    const ports = portsWith({ receipts: [aReceipt(begun)] });
    const cutOff = { ...ports, helm: { ...ports.helm, metadata: () => Promise.resolve(about) } };
    expect(await adopt(plan, cutOff)).toMatchObject({ refused: false, records: [], findings: [] });
    expect(await adopt(plan, { ...cutOff, receipts: [aReceipt({ ...begun, adopted: undefined })] })).toMatchObject({
      refused: true,
      findings: [{ code: "cluster.release-pending" }],
    });
  });

  it("without a release is taken over in the plan, by what is rendered without the relocation", async () => {
    const rendered: unknown[] = [];
    const list = <T>(): Promise<readonly T[]> => Promise.resolve([gateway(7)] as unknown as readonly T[]);
    const ports = {
      cluster: { list },
      render: (asked: PlannedChart) => {
        rendered.push(asked.values);
        return Promise.resolve([gateway(2)]);
      },
    };
    const taken = await adopt(plan, portsWith({ ...ports, decide: () => Promise.resolve("site-values") }, false));
    expect(taken).toMatchObject({ refused: false, records: [{ revision: 1, values: "site-values" }] });
    expect(taken.plan.charts[0]?.unreleased).toMatchObject({
      by: "kubectl apply",
      objects: [{ spec: { replicas: 7 } }],
    });
    expect(taken.steps).toMatchObject([{ text: "plan-ownership", facts: { objects: 1 } }]);
    expect(rendered).toEqual([[{}], [{}]]);
    const kept = await adopt(plan, portsWith({ ...ports, decide: () => Promise.resolve("keep-values") }, false));
    expect([kept.refused, codes(kept)]).toEqual([true, ["cluster.values-unknown"]]);
    const blind = { cluster: { list: () => Promise.reject(forbidden) } };
    expect(await adopt(plan, portsWith(blind, false))).toMatchObject({ refused: false, findings: [] });
  });
});
