import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../src/model/receipt.ts";
import { Site } from "../../../src/model/site.ts";
import { endPending, type PendingOptions } from "../../../src/pipeline/release.ts";
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

async function ended(state: "started" | "failed" | "done", at: string, statuses = ["pending-upgrade"]): Promise<Seen> {
  const receipt: Receipt = { ...aReceipt(), phases: [{ phase: "apply", state, at }] };
  let [now, slept, asked] = [Date.parse("2026-01-01T00:00:30.000Z"), 0, 0];
  const rolledBack: number[] = [];
  const options: PendingOptions = {
    site,
    plan: {
      charts: [{ release: "higress", namespace: "higress-system" }],
    } as unknown as PendingOptions["plan"],
    helm: {
      status: () =>
        Promise.resolve({ revision: 4, status: statuses[Math.min(asked++, statuses.length - 1)]!, updated: began }),
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
  it("gives a helm that may still live the time that it was given, then rolls back", async () => {
    expect(await ended("started", began)).toEqual({ slept: 40_000, rolledBack: [3] });
  });

  it("leaves one alone that ends by itself", async () => {
    expect((await ended("started", began, ["pending-upgrade", "deployed"])).rolledBack).toEqual([]);
  });

  it("rolls back at once what a helm left whose end we saw, as when the API server went away", async () => {
    expect(await ended("failed", "2026-01-01T00:00:20.000Z")).toEqual({ slept: 0, rolledBack: [3] });
  });

  it("touches nothing that somebody else began after our helm had ended", async () => {
    expect(await ended("failed", "2026-01-01T00:00:09.000Z")).toEqual({ slept: 0, rolledBack: [] });
    expect(await ended("done", "2026-01-01T00:00:20.000Z")).toEqual({ slept: 0, rolledBack: [] });
  });
});
