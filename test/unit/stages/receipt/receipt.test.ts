import { describe, expect, it } from "vitest";
import { parseReceipt, printReceipt, receiptConfigMap } from "../../../../src/stages/receipt/keep.ts";
import {
  beginReceipt,
  beginRelease,
  installBefore,
  installNumbered,
  notBefore,
  standing,
  withMore,
  withPhase,
} from "../../../../src/stages/receipt/receipt.ts";
import { adoptedBefore, withOwners, withStanding } from "../../../../src/stages/receipt/standing-releases.ts";
import { aReceipt } from "../../../rig/receipt.ts";

const now = new Date(0);
const { tool, bundle, cluster, values } = aReceipt();
const facts = { tool, bundle, cluster, values, now };
const made = { resource: "secrets", namespace: "n", name: "pull", uid: "1", did: "created" } as const;

describe("a receipt", () => {
  it("goes on after an interruption of the same bundle, cluster and values, and only then", () => {
    const open = aReceipt({ number: 3, state: "failed", phases: [{ phase: "push", state: "done", at: "x" }] });
    expect(beginReceipt([open], facts)).toEqual({ ...open, state: "running" });
    expect(beginReceipt([open], { ...facts, values: "sha256:other" })).toMatchObject({ number: 4, phases: [] });
    expect(beginReceipt([open], { ...facts, bundle: { ...bundle, id: "sha256:other" } }).number).toBe(4);
    expect(beginReceipt([aReceipt({ number: 3 })], facts).number).toBe(4);
  });

  it("stays readable however often an install is tried, and keeps what was once reached", () => {
    let receipt = withPhase(aReceipt({ phases: [] }), "render", "done", now);
    for (let second = 0; second < 3000; second += 3) {
      receipt = withPhase(receipt, "push", "done", new Date(second * 1000));
      receipt = withPhase(receipt, "apply", "started", new Date((second + 1) * 1000));
      receipt = withPhase(receipt, "apply", "failed", new Date((second + 2) * 1000));
    }
    const read = parseReceipt(printReceipt(receipt), "x");
    expect(read.phases.length).toBeLessThanOrEqual(200);
    expect(read.phases[0]).toEqual({ phase: "render", state: "done", at: now.toISOString() });
    expect(read.phases.at(-1)).toEqual({
      phase: "apply",
      state: "failed",
      at: new Date(3_000_000 - 1000).toISOString(),
    });
  });

  it("takes over what is there to undo, but not from another cluster and not after an uninstall", () => {
    const earlier = aReceipt({ objects: [made], pushed: ["a"] });
    expect(beginReceipt([earlier], facts)).toMatchObject({ number: 2, objects: [made], pushed: [] });
    expect(beginReceipt([{ ...earlier, state: "undone" }], facts).objects).toEqual([]);
    const elsewhere = { ...facts, cluster: { ...cluster, server: "https://other" } };
    expect(beginReceipt([earlier], elsewhere)).toMatchObject({ number: 2, objects: [] });
  });

  it("is of the newest install that still stands: a rollback leaves the one before, with all that it made", () => {
    const first = aReceipt({ objects: [made] });
    const second = aReceipt({ number: 2, state: "undone", objects: [] });
    expect(standing([first, second])).toEqual(first);
    expect(standing([{ ...first, state: "undone" }, second])).toBeUndefined();
    expect(beginReceipt([first, second], facts)).toMatchObject({ number: 3, objects: [made] });
  });

  it("remembers who made an object from the first time, and what a plugin was before us", () => {
    const first = withMore(aReceipt(), {
      objects: [made],
      plugins: [{ namespace: "n", name: "p", url: "b", state: "on", before: "a" }],
    });
    const second = withMore(first, {
      objects: [{ ...made, uid: "2", did: "changed" }],
      plugins: [{ namespace: "n", name: "p", url: "c", state: "on", before: "b" }],
      pushed: ["x", "x"],
    });
    expect(second.objects).toEqual([{ ...made, uid: "2" }]);
    expect(second.plugins).toEqual([{ namespace: "n", name: "p", url: "c", state: "on", before: "a" }]);
    expect(second.pushed).toEqual(["x"]);
  });

  it("names the install before, past those that failed", () => {
    const all = [aReceipt({ number: 1 }), aReceipt({ number: 2, state: "failed" }), aReceipt({ number: 3 })];
    expect(installBefore(all, all[2]!)?.number).toBe(1);
    expect(installBefore(all, all[0]!)).toBeUndefined();
    expect(() => installNumbered(all, all[2]!, 7)).toThrow(/USAGE.*--to 7".*"1"/);
    // No number would do, so none is asked for.
    expect(() => installNumbered(all, all[0]!, 1)).toThrow("RECEIPT_MISSING");
    expect(() => notBefore(all, all[2]!, "owner")).toThrow(/USAGE.*--to owner".*"1"/);
  });

  it("keeps what was there before the first install over somebody else's release, and goes back to it", () => {
    const adopted = {
      release: "higress",
      namespace: "higress-system",
      revision: 7,
      chart: "higress",
      version: "2.1.9",
      values: "keep-values",
    } as const;
    const first = beginReceipt([], { ...facts, adopted: [adopted] });
    const second = beginReceipt([{ ...first, state: "done", objects: [made] }], facts);
    expect(second).toMatchObject({ number: 2, adopted: [adopted] });
    // Helm was not begun: what is there is what was there, and of objects without a release no revision yet.
    expect(adoptedBefore(second)).toMatchObject({ objects: [], releases: [{ release: "higress", revision: 0 }] });
    expect(adoptedBefore(beginRelease(second, adopted, 7))).toMatchObject({
      objects: [],
      plugins: [],
      releases: [{ release: "higress", revision: 7 }],
    });
    expect(adoptedBefore(aReceipt())).toBeUndefined();
    expect(parseReceipt(printReceipt(second), "x")).toEqual(second);
  });

  it("knows every release that stands, whichever install touched it last", () => {
    const at = (release: string, revision: number) => ({
      release,
      namespace: "higress-system",
      revision,
      previousRevision: 0,
    });
    const all = [
      aReceipt({ number: 1, releases: [at("higress", 1), at("gw", 1)] }),
      aReceipt({ number: 2, state: "undone", releases: [at("gone", 1)] }),
      aReceipt({ number: 3, helm: { revision: 4, previousRevision: 1 } }),
      aReceipt({ number: 4, state: "failed" }),
    ];
    const stand = [{ release: "higress", revision: 4 }, at("gw", 1)];
    expect(withStanding(all[3]!, all).releases).toMatchObject(stand);
    expect(withStanding(all[3]!, all).releases).toHaveLength(2);
    expect(withStanding(all[0]!, all).releases).toEqual(all[0]!.releases);
  });

  it("goes back to the owner of a release that a later install took over, beside the install before", () => {
    const gateway = { release: "gw", namespace: "higress-system", revision: 3, chart: "gw", version: "1.0.0" };
    const adopted = [{ ...gateway, values: "keep-values" } as const];
    const own = { release: "higress", namespace: "higress-system", revision: 1, previousRevision: 0 };
    const first = aReceipt({ releases: [own] });
    const second = beginReceipt([first], { ...facts, bundle: { ...bundle, id: "other" }, adopted });
    const both = beginRelease(beginRelease(second, own, 1), gateway, 3);
    expect(withOwners(first, both).releases).toMatchObject([own, { release: "gw", revision: 3 }]);
    const [third] = [beginReceipt([first, { ...both, state: "done" }], { ...facts, values: "others" })];
    expect(withOwners({ ...both, number: 2 }, beginRelease(third, gateway, 4)).releases).toEqual(both.releases);
  });

  it("comes back from its text, and a text that somebody made up is refused", () => {
    const receipt = aReceipt({ objects: [made] });
    expect(parseReceipt(printReceipt(receipt), "x")).toEqual(receipt);
    const undo = [{ op: "replace", path: "/status/x", value: "y" }];
    const forged = {
      ...receipt,
      leftovers: [{ resource: "r", namespace: "n", name: "n", did: "disabled", url: "u", undo }],
    };
    expect(() => parseReceipt(JSON.stringify(forged), "x")).toThrow("CONFIG_INVALID");
    expect(() => parseReceipt("{", "x")).toThrow("CONFIG_INVALID");
  });

  it("fits a ConfigMap however much was pushed", () => {
    const pushed = Array.from({ length: 20_000 }, (_, at) => `harbor.test/${"x".repeat(80)}:${String(at)}`);
    const { data } = receiptConfigMap(aReceipt({ pushed })) as unknown as { data: Record<string, string> };
    expect(data["receipt.json"]!.length).toBeLessThan(1_000_000);
  });
});
