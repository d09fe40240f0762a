import { expect, it } from "vitest";
import { oursOf, siteReceipts } from "../../../src/cli/wire/receipts.ts";
import type { Kubectl } from "../../../src/edge/process/kubectl.ts";
import type { Receipt } from "../../../src/model/receipt.ts";
import { Site } from "../../../src/model/site.ts";
import { receiptDirectory } from "../../../src/edge/files/receipts.ts";
import { aReceipt } from "../../rig/receipt.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

it("gives the receipts of the site's release on its cluster, and of no neighbour in the same folder", async () => {
  const mine = { server: "uid-a", url: "https://a:6443", namespace: "higress-system", release: "higress" };
  const neighbours: readonly Partial<Receipt["cluster"]>[] = [
    {},
    { server: "uid-b" },
    { namespace: "other" },
    { release: "other" },
    { server: "unknown" },
    { server: "unknown", url: "https://b:6443" },
  ];
  const all = neighbours.map((over, at) => aReceipt({ number: at + 1, cluster: { ...mine, ...over } }));
  await using folder = await aTempDirectory();
  for (const receipt of all) await receiptDirectory(folder.path).save(receipt);
  const site = Site.parse({
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: { host: "harbor.test", project: "p" },
    cluster: { release: "higress" },
    stateDir: folder.path,
  });
  let questions = 0;
  const numbersAs = async (uid: string | undefined, url: string): Promise<readonly number[]> => {
    const asked = {
      get: () => {
        questions += 1;
        return Promise.resolve(uid === undefined ? undefined : { metadata: { uid } });
      },
      address: () => Promise.resolve(url),
    } as unknown as Kubectl;
    const receipts = siteReceipts(site, asked, new AbortController().signal);
    const found = await receipts.ofRelease();
    expect(await receipts.ofRelease()).toEqual(found);
    return found.map(({ number }) => number);
  };
  expect(await numbersAs("uid-a", "https://a:6443")).toEqual([1, 5]);
  expect(await numbersAs("uid-b", "https://b:6443")).toEqual([2, 6]);
  // Which cluster it is was asked once by each.
  expect(questions).toBe(2);
  // Somebody who may not read kube-system.
  expect(await numbersAs(undefined, "https://b:6443")).toEqual([6]);
});

it("leaves a release to whoever made it anew after ours was removed, and says so", async () => {
  const signal = new AbortController().signal;
  const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const record = { release: "higress", namespace: "higress-system", revision: 2, previousRevision: 1 };
  const phases = [{ phase: "apply", state: "done" as const, at: at(100) }];
  const receipt = aReceipt({ releases: [record], phases });
  const asked = (...revisions: readonly (readonly [number, number])[]) => {
    const history = revisions.map(([revision, began]) => ({ revision, updated: at(began), status: "", chart: "" }));
    return oursOf(receipt, [receipt], { helm: { history: () => Promise.resolve(history) } }, signal);
  };
  const ours = { ours: receipt, findings: [] };
  // As we made it; after later revisions, whoever made them; forgotten among more than ten; gone altogether.
  expect(await asked([1, 10], [2, 90])).toEqual(ours);
  expect(await asked([2, 90], [3, 500])).toEqual(ours);
  expect(await asked([12, 500], [13, 600])).toEqual(ours);
  expect(await asked()).toEqual(ours);
  // Numbered anew: not as far as ours yet, or there at a time when our install had ended.
  const replaced = {
    ours: { ...receipt, releases: [] },
    findings: [{ severity: "warning", code: "cluster.release-replaced" }],
  };
  expect(await asked([1, 500])).toMatchObject(replaced);
  expect(await asked([1, 500], [2, 600])).toMatchObject(replaced);
  expect((await asked([1, 500])).ours.releases).toEqual([]);
});
