import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../../src/model/receipt.ts";
import { keepReceipt, loadReceipts } from "../../../../src/stages/receipt/keep.ts";
import {
  beginReceipt,
  beginRelease,
  endRelease,
  installBefore,
  isOfCluster,
} from "../../../../src/stages/receipt/receipt.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aReceipt } from "../../../rig/receipt.ts";

const of = (server: string, over: Partial<Receipt> = {}): Receipt =>
  aReceipt({ cluster: { server, namespace: "higress-system", release: "higress" }, ...over });

describe("receipts of several clusters on one host", () => {
  it("are told apart by uid; where one is not known by the address; one with neither is of none", () => {
    const at = (server: string, url?: string) => ({
      ...of(server),
      cluster: { ...of(server).cluster, ...(url === undefined ? {} : { url }) },
    });
    const all = [at("a", "https://x"), at("b", "https://y"), at("unknown", "https://x"), at("unknown"), at("a")];
    const ofCluster = (server: string, url?: string) =>
      all.map((receipt) => isOfCluster(receipt, { server, ...(url === undefined ? {} : { url }) }));
    expect(ofCluster("a", "https://x")).toEqual([true, false, true, false, true]);
    // The address leads to another cluster by now, or the cluster has another address.
    expect(ofCluster("b", "https://x")).toEqual([false, true, true, false, false]);
    expect(ofCluster("unknown", "https://x")).toEqual([true, false, true, false, false]);
    expect(ofCluster("unknown", "https://z")).toEqual([false, false, false, false, false]);
    expect(ofCluster("unknown")).toEqual([false, false, false, false, false]);
  });

  it("of which nobody may read the uid are not gone on with on another cluster", () => {
    const on = (url: string) => ({ ...of("unknown").cluster, url });
    const facts = { ...of("unknown"), now: new Date(0) };
    const open: Receipt = { ...of("unknown"), cluster: on("https://a"), state: "failed" };
    expect(beginReceipt([open], { ...facts, cluster: on("https://a") }).number).toBe(1);
    expect(beginReceipt([open], { ...facts, cluster: on("https://b") }).number).toBe(2);
    expect(
      beginReceipt([{ ...open, cluster: of("unknown").cluster }], { ...facts, cluster: on("https://b") }).number,
    ).toBe(2);
    const done: Receipt = { ...open, state: "done", number: 1 };
    expect(installBefore([done], { ...done, number: 2 })).toEqual(done);
    expect(installBefore([done], { ...done, number: 2, cluster: on("https://b") })).toBeUndefined();
  });

  it("that name no cluster, found beside the release, are of the cluster that gave them", async () => {
    const disk = { list: () => Promise.resolve([of("unknown")]), save: () => Promise.resolve() };
    const cluster = new MemoryCluster();
    cluster.add({ apiVersion: "v1", kind: "Namespace", metadata: { name: "higress-system" } });
    await keepReceipt(of("unknown", { number: 3 }), { disk, cluster });
    const identity = { server: "unknown", url: "https://b" };
    const loaded = await loadReceipts("higress-system", { disk, cluster, identity });
    expect(loaded.filter((receipt) => isOfCluster(receipt, identity)).map(({ number }) => number)).toEqual([3]);
  });

  it("do not hide the one beside the release, which keeps out of the way of their numbers", async () => {
    const kept: Receipt[] = [of("a", { number: 1 }), of("a", { number: 2 })];
    const disk = { list: () => Promise.resolve(kept), save: () => Promise.resolve() };
    const cluster = new MemoryCluster();
    cluster.add({ apiVersion: "v1", kind: "Namespace", metadata: { name: "higress-system" } });
    await keepReceipt(of("b", { number: 2 }), { disk, cluster });
    const loaded = await loadReceipts("higress-system", { disk, cluster, identity: { server: "b" } });
    expect(loaded.map(({ number, cluster: { server } }) => `${server} ${number}`)).toEqual(["a 1", "a 2", "b 3"]);
    expect(await loadReceipts("higress-system", { disk, cluster, identity: { server: "a" } })).toEqual(kept);
  });
});

describe("the releases of a receipt", () => {
  const chart = (release: string) => ({ release, namespace: "higress-system" });
  const facts = {
    tool: "t",
    bundle: { name: "higress", version: "2.2.5", id: "sha256:cc" },
    cluster: of("a").cluster,
    values: "sha256:dd",
    now: new Date(0),
  };

  it("are one for each chart, none over another", () => {
    let receipt = beginReceipt([], facts);
    receipt = endRelease(beginRelease(receipt, chart("console"), 7), chart("console"), 8);
    receipt = endRelease(beginRelease(receipt, chart("higress"), 0), chart("higress"), 1);
    expect(receipt.releases).toEqual([
      { ...chart("console"), revision: 8, previousRevision: 7 },
      { ...chart("higress"), revision: 1, previousRevision: 0 },
    ]);
    expect(receipt.helm).toEqual({ revision: 1, previousRevision: 0 });
  });

  it("name what was before us, however often and with whatever values an install is tried again", () => {
    const first = beginRelease(beginReceipt([], facts), chart("higress"), 4);
    // Helm failed, and left a revision 5 of its own.
    const failed: Receipt = { ...first, state: "failed" };
    for (const again of [facts, { ...facts, values: "sha256:ee" }]) {
      const receipt = endRelease(beginRelease(beginReceipt([failed], again), chart("higress"), 0), chart("higress"), 6);
      expect(receipt.helm).toEqual({ revision: 6, previousRevision: 4 });
    }
    const next = beginReceipt([{ ...failed, state: "done" }], { ...facts, values: "sha256:ee" });
    expect(beginRelease(next, chart("higress"), 6).releases).toMatchObject([{ previousRevision: 6 }]);
  });
});
