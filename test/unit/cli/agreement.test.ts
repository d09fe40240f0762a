import { describe, expect, it } from "vitest";
import { agreed } from "../../../src/cli/agreement.ts";
import type { Context } from "../../../src/cli/context.ts";
import type { Event } from "../../../src/model/event.ts";
import { planRollback, planUninstall } from "../../../src/stages/receipt/undo-plan.ts";
import { aReceipt } from "../../rig/receipt.ts";

const namespace = "higress-system";
const made = { resource: "secrets", namespace, name: "pull", did: "created" } as const;
const receipt = aReceipt({
  objects: [
    { resource: "namespaces", name: namespace, did: "created" },
    made,
    { resource: "serviceaccounts", namespace, name: "default", did: "changed" },
  ],
  crds: [{ resource: "customresourcedefinitions", name: "wasmplugins.extensions.higress.io", did: "created" }],
  plugins: [{ namespace, name: "cors", url: "oci://harbor.test/cors:1", state: "on" }],
  helm: { revision: 2, previousRevision: 1 },
});

describe("what destroys", () => {
  const said: Event[] = [];
  const asks = (typed?: string): Context =>
    ({
      language: "en",
      reporter: { report: (event: Event) => void said.push(event), findings: [], failure: () => 0, close: () => 0 },
      ...(typed === undefined ? {} : { ask: () => Promise.resolve(typed) }),
    }) as unknown as Context;
  const ask = (flags: Readonly<Record<string, boolean>>, typed?: string) =>
    agreed(planUninstall(receipt, { crds: false, namespace: false }), {
      command: "uninstall",
      flags,
      context: asks(typed),
    });

  it.each(["y", "YES", " 是 "])("goes on at the answer %s", async (typed) => {
    expect(await ask({}, typed)).toBe(true);
  });

  it.each(["", "n", "yellow", undefined])("stops at the answer %s", async (typed) => {
    await expect(ask({}, typed)).rejects.toMatchObject({ code: "NOT_CONFIRMED", facts: { command: "uninstall" } });
  });

  it("asks nobody with --yes, and does nothing in a dry run, whatever else is said", async () => {
    expect(await ask({ yes: true })).toBe(true);
    expect(await ask({ yes: true, "dry-run": true }, "y")).toBe(false);
  });

  it("says first what goes, and names CRDs and namespace only when they go", () => {
    const kept = planUninstall(receipt, { crds: false, namespace: false }).map(({ text }) => text);
    expect(kept).toEqual(["plan-plugins", "plan-release-gone", "plan-given-back", "plan-deleted"]);
    const all = planUninstall(receipt, { crds: true, namespace: true });
    expect(all.map(({ facts }) => JSON.stringify(facts)).join()).toContain(`namespaces ${namespace}`);
    expect(all.at(-1)).toMatchObject({ text: "plan-crds-deleted" });
  });

  it("of a rollback says the revision, and only what the later install brought", () => {
    const later = { ...receipt, number: 2, objects: [...receipt.objects, { ...made, name: "later" }] };
    expect(planRollback({ ...later, helm: { revision: 3, previousRevision: 2 } }, receipt)).toEqual([
      { type: "note", text: "plan-release-back", facts: { release: "higress", revision: 2 } },
      { type: "note", text: "plan-deleted", facts: { objects: `secrets ${namespace}/later` } },
    ]);
  });
});
