import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/model/event.ts";
import { Site } from "../../../src/model/site.ts";
import { install } from "../../../src/pipeline/install.ts";
import type { InstallPorts } from "../../../src/pipeline/install-ports.ts";
import { planInstall } from "../../../src/pipeline/install-plan.ts";
import { openBundle } from "../../../src/stages/bundle/open.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import { aPackInput, someFiles } from "../../rig/bundle-input.ts";
import { MemoryOutput, MemorySource } from "../../rig/bundle-memory.ts";

const phases = ["verify", "preflight", "push", "render", "prove", "apply", "plugins", "check"] as const;

/** Somebody's pod, whose image is of another registry. */
const outside = {
  metadata: { name: "theirs", namespace: "higress-system" },
  spec: { containers: [{ name: "theirs", image: "registry.outside.example/a:1" }] },
  status: { phase: "Running", containerStatuses: [] },
};

/**
 * An install of which nothing but `phase` is left: what it said, and how often it asked for the secret that the cluster
 * pulls with.
 */
async function installOnly(phase?: (typeof phases)[number]) {
  const output = new MemoryOutput();
  const release = { name: "manifests/release.json", bytes: Buffer.from('{"charts":[],"crds":[],"manifests":[]}') };
  await pack(aPackInput({ files: [...someFiles, release] }), output);
  const bundle = await openBundle(new MemorySource(output.bytes));
  const registry = { host: "harbor.corp", project: "higress" };
  const site = Site.parse({ apiVersion: "higress-airgap/v1", kind: "Site", registry, pull: { robot: true } });
  const parts = { parseRelocation: () => Promise.reject(new Error("no chart")) as never, userValues: [] };
  let asked = 0;
  const ports = {
    receipts: { load: () => Promise.resolve([]), save: () => Promise.resolve() },
    cluster: {
      get: () => Promise.resolve(undefined),
      address: () => Promise.resolve(undefined),
      list: ({ resource }: { readonly resource: string }) =>
        Promise.resolve(resource === "pods" ? [outside] : resource === "deployments.apps" ? [{ metadata: {} }] : []),
    },
    urlAsker: () => ({
      ask: () => Promise.reject(new Error("no URL")),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    pullSecret: () => {
      asked += 1;
      return Promise.reject(new Error("asked"));
    },
    userPlugins: [],
    now: () => new Date(),
    tool: "higress-airgap 0",
  } as unknown as InstallPorts;
  const said: string[] = [];
  const options = {
    skip: new Set(phases.filter((each) => each !== phase)),
    forceConflicts: false,
    signal: new AbortController().signal,
    report: (event: Event) => {
      if (event.type === "finding") said.push(event.finding.code);
      if (event.type === "phase" && event.state !== "skipped") said.push(`${event.phase} ${event.state}`);
    },
  };
  await install({ bundle, site, plan: await planInstall(bundle, site, parts) }, ports, options).catch(
    (error: unknown) => {
      if (asked === 0) throw error;
    },
  );
  return { asked, said };
}

describe("an install", () => {
  it("asks Harbor for a robot only where something is applied: its new secret ends the one that the cluster has", async () => {
    expect([(await installOnly()).asked, (await installOnly("apply")).asked]).toEqual([0, 1]);
  });

  it("tells what its check has found before it ends the check, whose last line counts it", async () => {
    const { said } = await installOnly("check");
    expect(said).toContain("reference.outside");
    expect([said.at(0), said.at(-1)]).toEqual(["check started", "check done"]);
  });
});
