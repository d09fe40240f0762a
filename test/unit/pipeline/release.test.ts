import { describe, expect, it } from "vitest";
import type { ReleaseRevision } from "../../../src/model/helm.ts";
import type { Receipt } from "../../../src/model/receipt.ts";
import { Site } from "../../../src/model/site.ts";
import { endPending, pendingReleases, type PendingOptions } from "../../../src/pipeline/release.ts";
import { aReceipt } from "../../rig/receipt.ts";

const began = "2026-01-01T00:00:10.000Z";
const site = Site.parse({
  apiVersion: "higress-airgap/v1",
  kind: "Site",
  registry: { host: "harbor.test", project: "higress" },
  cluster: { rolloutSeconds: 60 },
});

interface Seen {
  readonly slept: number;
  readonly rolledBack: readonly number[];
}

const went = (revision: number, status: string) => ({ revision, status, updated: began, chart: "higress-2.2.4" });
const two = [went(2, "superseded"), went(3, "failed"), went(4, "pending-upgrade")];

interface Stuck {
  readonly statuses?: readonly string[];
  readonly history?: readonly ReleaseRevision[];
  readonly receipt?: Partial<Receipt>;
}

async function ended(
  state: "started" | "failed" | "done",
  at: string,
  { statuses = ["pending-upgrade"], history = two, receipt: over }: Stuck = {},
): Promise<Seen> {
  const receipt: Receipt = { ...aReceipt(), ...over, phases: [{ phase: "apply", state, at }] };
  const revision = history.at(-1)?.revision ?? 0;
  let [now, slept, asked] = [Date.parse("2026-01-01T00:00:30.000Z"), 0, 0];
  const rolledBack: number[] = [];
  const options: PendingOptions = {
    site,
    plan: {
      charts: [{ release: "higress", namespace: "higress-system" }],
    } as unknown as PendingOptions["plan"],
    helm: {
      status: () =>
        Promise.resolve({ revision, status: statuses[Math.min(asked++, statuses.length - 1)]!, updated: began }),
      history: () => Promise.resolve(history),
      rollback: (_release, _namespace, revision) => {
        rolledBack.push(revision);
        return Promise.resolve();
      },
    },
    report: () => undefined,
    signal: new AbortController().signal,
    clock: {
      now: () => now,
      sleep: (milliseconds) => {
        now += milliseconds;
        slept += milliseconds;
        return Promise.resolve();
      },
    },
  };
  await endPending(receipt, options);
  return { slept, rolledBack };
}

describe("endPending", () => {
  it("gives a helm that may still live the time that it was given, then goes back to what went through", async () => {
    expect(await ended("started", began)).toEqual({ slept: 40_000, rolledBack: [2] });
  });

  it("leaves one alone that ends by itself", async () => {
    expect((await ended("started", began, { statuses: ["pending-upgrade", "deployed"] })).rolledBack).toEqual([]);
  });

  it("rolls back at once what a helm left whose end we saw, as when the API server went away", async () => {
    expect(await ended("failed", "2026-01-01T00:00:20.000Z")).toEqual({ slept: 0, rolledBack: [2] });
  });

  it("touches nothing that somebody else began after our helm had ended", async () => {
    expect(await ended("failed", "2026-01-01T00:00:09.000Z")).toEqual({ slept: 0, rolledBack: [] });
    expect(await ended("done", "2026-01-01T00:00:20.000Z")).toEqual({ slept: 0, rolledBack: [] });
  });

  it("has the objects of somebody else that it was making a release of made one, pending or failed, and no other that failed", async () => {
    const record = { release: "higress", namespace: "higress-system", revision: 1, chart: "higress", version: "2.1.3" };
    const adopted = [{ ...record, values: "keep-values" as const }];
    const first = (status: string, receipt: Partial<Receipt>) =>
      ended("failed", "2026-01-01T00:00:20.000Z", { statuses: [status], history: [went(1, status)], receipt });
    expect((await first("failed", { state: "running", adopted })).rolledBack).toEqual([1]);
    expect((await first("pending-install", { state: "failed", adopted })).rolledBack).toEqual([1]);
    expect((await first("failed", { state: "failed" })).rolledBack).toEqual([]);
    expect((await first("deployed", { state: "failed", adopted })).rolledBack).toEqual([]);
    const begun = [{ ...record, previousRevision: 0 }];
    expect((await first("failed", { state: "failed", adopted, releases: begun })).rolledBack).toEqual([]);
  });
});

describe("pendingReleases", () => {
  it("has those of every chart, each with the revision that its own advice names", async () => {
    const charts = ["higress", "extra", "third"].map((release) => ({ release, namespace: "higress-system" }));
    const statusOf = (release: string) => (release === "third" ? "deployed" : "pending-upgrade");
    const found = await pendingReleases({ charts } as unknown as Parameters<typeof pendingReleases>[0], {
      helm: {
        status: (release) => Promise.resolve({ revision: 4, status: statusOf(release), updated: began }),
        history: (release) => Promise.resolve(release === "extra" ? [went(3, "deployed"), went(4, "failed")] : two),
      },
      signal: new AbortController().signal,
    });
    expect(found.map(({ release, revision }) => [release, revision])).toEqual([
      ["higress", 2],
      ["extra", 3],
    ]);
  });
});
