import { expect, it } from "vitest";
import { receiptsOfRelease } from "../../../src/cli/wire/receipts.ts";
import type { Kubectl } from "../../../src/edge/process/kubectl.ts";
import type { Receipt } from "../../../src/model/receipt.ts";
import { Site } from "../../../src/model/site.ts";
import { aReceipt } from "../../rig/receipt.ts";

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
  const site = Site.parse({
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: { host: "harbor.test", project: "p" },
    cluster: { release: "higress" },
  });
  const port = { load: () => Promise.resolve(all), save: () => Promise.resolve() };
  const numbersAs = async (uid: string | undefined, url: string): Promise<readonly number[]> => {
    const asked = {
      get: () => Promise.resolve(uid === undefined ? undefined : { metadata: { uid } }),
      address: () => Promise.resolve(url),
    } as unknown as Kubectl;
    const found = await receiptsOfRelease(site, port, asked, new AbortController().signal);
    return found.map(({ number }) => number);
  };
  expect(await numbersAs("uid-a", "https://a:6443")).toEqual([1, 5]);
  expect(await numbersAs("uid-b", "https://b:6443")).toEqual([2, 6]);
  // Somebody who may not read kube-system.
  expect(await numbersAs(undefined, "https://b:6443")).toEqual([6]);
});
