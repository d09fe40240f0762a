import { describe, expect, it } from "vitest";
import type { ReleaseRevision } from "../../../src/model/helm.ts";
import { historyOf, newerIn } from "../../../src/pipeline/history.ts";
import type { Receipt } from "../../../src/model/receipt.ts";
import type { InstallPlan } from "../../../src/pipeline/install-plan.ts";
import { historyTable } from "../../../src/ui/status.ts";
import { widthOf } from "../../../src/ui/width.ts";
import { aReceipt } from "../../rig/receipt.ts";

const release = "higress";
const namespace = "higress-system";

describe("history", () => {
  const revision = (number: number, status: string): ReleaseRevision => ({
    revision: number,
    status,
    updated: `2026-11-2${number}T00:00:00Z`,
    chart: "higress-2.2.4",
  });
  const install = (number: number, over: object) =>
    aReceipt({ number, started: `2026-11-2${number}T00:00:00.000Z`, ...over });

  it("has every revision and every install, in their order, and says which can be gone back to", () => {
    const receipts = [
      install(1, { helm: { revision: 1, previousRevision: 0 } }),
      install(2, { helm: { revision: 2, previousRevision: 1 } }),
      install(4, { state: "failed" }),
      install(5, { helm: { revision: 5, previousRevision: 3 } }),
    ];
    const revisions = [revision(2, "superseded"), revision(3, "superseded"), revision(5, "deployed")];
    const entries = historyOf({ release, namespace }, revisions, receipts);
    expect(
      entries.map(({ revision: at, install: by, current, reachable }) => [at, by?.number, current, reachable]),
    ).toEqual([
      [1, 1, false, false],
      [2, 2, false, true],
      [3, undefined, false, false],
      [undefined, 4, false, false],
      [5, 5, true, false],
    ]);
  });

  it("says of the revision that its owner had how it comes back, until it has", () => {
    const taken = {
      release,
      namespace,
      revision: 1,
      chart: "higress",
      version: "2.1.9",
      values: "keep-values",
    } as const;
    const ours = install(2, { helm: { revision: 2, previousRevision: 1 }, adopted: [taken] });
    const revisions = [revision(1, "superseded"), revision(2, "deployed")];
    const entries = historyOf({ release, namespace }, revisions, [ours]);
    expect(entries).toMatchObject([
      { revision: 1, reachable: true },
      { revision: 2, reachable: false },
    ]);
    expect(historyTable(entries, { language: "en", columns: undefined })).toMatch(/^- +1 .* rollback --to owner$/m);
    const [given] = historyOf(
      { release, namespace },
      [...revisions, revision(3, "deployed")],
      [{ ...ours, state: "undone" }],
    );
    expect(given).toMatchObject({ revision: 1, reachable: false });
  });
});

it("fits 80 columns, on one clock, with the states of our installs in the reader's words", () => {
  const failed = { ...aReceipt({ started: "2026-11-29T23:33:03.076Z" }), number: 2, state: "failed" } as const;
  const made = { status: "superseded", updated: "2026-11-30T07:29:30.9+08:00", chart: "higress-2.2.1" };
  const first = aReceipt({ helm: { revision: 1, previousRevision: 0 }, started: "2026-11-29T23:29:00Z" });
  const entries = historyOf({ release, namespace }, [{ ...made, revision: 1 }], [first, failed]);
  const [header = "", one = "", two = ""] = historyTable(entries, { language: "zh", columns: 80 }).split("\n");
  for (const line of [header, one, two]) expect(widthOf(line)).toBeLessThanOrEqual(80);
  expect(one).toContain("2026-11-29 23:29");
  expect(two).toContain("2026-11-29 23:33  失败");
});

it("is not that of our installs where somebody made a release of the same name anew", () => {
  const phases: Receipt["phases"] = [{ phase: "apply", state: "done", at: "2026-11-22T00:10:00Z" }];
  const receipt = aReceipt({ helm: { revision: 1, previousRevision: 0 }, phases });
  const made = { revision: 1, status: "deployed", updated: "2026-11-25T00:00:00Z", chart: "higress-2.1.0" };
  const entries = historyOf({ release, namespace }, [made], [receipt]);
  expect(
    entries.map(({ revision, install, current, reachable }) => [revision, install?.number, current, reachable]),
  ).toEqual([
    [1, 1, false, false],
    [1, undefined, true, false],
  ]);
});

describe("what is newer in a bundle", () => {
  it("is what is of a later version, by the rules of versions where they have one", () => {
    const item = (name: string, version: string) => ({ item: { kind: "plugin", name, version } });
    const plan = {
      charts: [{ name: "higress", version: "2.2.10", release, namespace }],
      mapped: [item("key-auth", "1.0.0"), item("ai-proxy", "2.0.0"), item("odd", "next")],
    } as unknown as InstallPlan;
    const live = (name: string, version: string) => ({
      name,
      object: name,
      version,
      url: "",
      on: true,
      gateway: "all" as const,
    });
    const releases = [{ release, namespace, version: "2.2.9", installer: { by: "helm" as const } }];
    const found = newerIn(plan, releases, [
      live("key-auth", "1.0.0"),
      live("ai-proxy", "10.0.0"),
      live("odd", "now"),
      live("own", "1"),
    ]);
    expect(found.map(({ name, now, carried }) => `${name} ${now} ${carried}`)).toEqual([
      "higress 2.2.9 2.2.10",
      "odd now next",
    ]);
  });
});
