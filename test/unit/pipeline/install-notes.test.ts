import type { Service, ServiceSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import type { InstallPlan } from "../../../src/pipeline/install-plan.ts";
import { closingNotes, proposal } from "../../../src/pipeline/install-notes.ts";
import { aReceipt } from "../../rig/receipt.ts";

const service = (name: string, spec: ServiceSpec, given: readonly object[] = []): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec,
  status: { loadBalancer: { ingress: [...given] } },
});
const nothing = {
  proof: { findings: [], images: 0, strings: 0, accounts: [], declared: [] },
  findings: [],
  pushed: undefined,
};

/** Of three that an install switched on, one did harm, and one was switched off by hand since. */
async function notes(services: readonly Service[] | Failure, undo: string | undefined, went = true) {
  const on = { namespace: "higress-system", name: "cors", url: "oci://h/cors:1", state: "on" } as const;
  const receipt = aReceipt({ plugins: [on, { ...on, name: "waf", state: "off" }, { ...on, name: "key-auth" }] });
  const plugins = [
    { ...on, name: "cors" },
    { ...on, name: "key-auth", defaultConfigDisable: true },
  ].map(({ name, url, ...spec }) => ({ metadata: { name }, spec: { url, defaultConfig: {}, ...spec } }));
  const list = <T>({ resource }: { readonly resource: string }): Promise<readonly T[]> =>
    services instanceof Failure
      ? Promise.reject(services)
      : Promise.resolve((resource === "services" ? services : plugins) as readonly T[]);
  const kubectl = ["kubectl", "--kubeconfig", "/srv/my site/kubeconfig"];
  const about = {
    namespace: "higress-system",
    seconds: went ? 41.4 : undefined,
    look: "look",
    kubectl,
    signal: new AbortController().signal,
  };
  const told = await closingNotes({ ...nothing, receipt }, { ...about, undo, cluster: { list } });
  return told.map(({ text, facts }) => [text, facts]);
}

describe("the last words of an install", () => {
  it("say how long it took, where gateway and console are, what is on, and what can be done next", async () => {
    const ports = [
      { port: 80, nodePort: 31080 },
      { port: 443, nodePort: 31443 },
    ];
    const found = await notes(
      [
        service("higress-gateway", { type: "LoadBalancer", ports }, [{ ip: "192.0.2.10" }, { ip: "2001:db8::1" }]),
        service("higress-console", { ports: [{ port: 8080 }] }),
        service("higress-controller", { ports: [{ port: 8888 }] }),
      ],
      "undo it",
    );
    expect(found).toEqual([
      ["install-took", { seconds: 41, sent: "0 B", present: "0 B" }],
      [
        "address",
        {
          service: "higress-gateway",
          at: "192.0.2.10:80, 192.0.2.10:443, [2001:db8::1]:80, [2001:db8::1]:443",
        },
      ],
      [
        "console-address",
        {
          command:
            "kubectl --kubeconfig '/srv/my site/kubeconfig' -n higress-system port-forward svc/higress-console 8080:8080",
        },
      ],
      ["plugins-on", { plugins: "cors" }],
      ["next-commands", { look: "look", undo: "undo it" }],
    ]);
  });

  it("name the ports of nodes where nobody gave an address, and nothing to undo where nothing was changed", async () => {
    const found = await notes(
      [service("gw", { type: "LoadBalancer", ports: [{ port: 80, nodePort: 31080 }] })],
      undefined,
    );
    expect(found.map(([text]) => text)).toEqual(["install-took", "address", "plugins-on"]);
    expect(found[1]).toEqual(["address", { service: "gw", at: "*:31080" }]);
  });

  it("are said also where services may not be listed: the install went through", async () => {
    const forbidden = new Failure("CLUSTER_FORBIDDEN", { action: "get services", output: "no" });
    expect((await notes(forbidden, "undo it")).map(([text]) => text)).toEqual([
      "install-took",
      "plugins-on",
      "next-commands",
    ]);
  });

  it("say where it is and how it is undone also when something was found, but not that it went through", async () => {
    const found = await notes(
      [service("gw", { type: "NodePort", ports: [{ port: 80, nodePort: 31080 }] })],
      "undo",
      false,
    );
    expect(found.map(([text]) => text)).toEqual(["address", "plugins-on", "next-commands"]);
  });
});

describe("what an install says before it begins", () => {
  const charts = [{ release: "higress", namespace: "higress-system", name: "higress", version: "2.2.4" }];
  const mapped = ["image", "image", "plugin"].map((kind) => ({ item: { kind }, targets: [] }));
  const plan = { charts, mapped, prefix: "harbor.corp/higress" } as unknown as InstallPlan;
  const about = { chart: "higress", version: "2.1.9", revision: 3, status: "deployed", isServerSide: false };

  it.each<[string, () => Promise<typeof about | undefined>, string]>([
    ["that stands there", () => Promise.resolve(about), "higress 2.1.9 (#3, deployed)"],
    ["that is not there yet", () => Promise.resolve(undefined), ""],
    [
      "that helm may not be asked about",
      () => Promise.reject(new Failure("HELM_FAILED", { action: "list", exit: "1", output: "" })),
      "?",
    ],
  ])("is each release with what it is now, of one %s, what is sent, and the phases", async (_of, metadata, from) => {
    const told = await proposal(plan, new Set(["check"]), { metadata }, new AbortController().signal);
    expect(told.map(({ text, facts }) => [text, facts])).toEqual([
      ["plan-release", { release: "higress", from, to: "higress 2.2.4" }],
      ["plan-push", { images: 2, plugins: 1, prefix: "harbor.corp/higress" }],
      ["plan-phases", { phases: "verify > preflight > push > render > prove > apply > plugins" }],
    ]);
  });
});
