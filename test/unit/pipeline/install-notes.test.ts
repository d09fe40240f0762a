import type { Service, ServiceSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import { closingNotes } from "../../../src/pipeline/install-notes.ts";
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

async function notes(services: readonly Service[] | Failure, undo: string | undefined) {
  const on = { namespace: "higress-system", name: "cors", url: "oci://h/cors:1", state: "on" } as const;
  const receipt = aReceipt({ plugins: [on, { ...on, name: "waf", state: "off" }] });
  const list = <T>(): Promise<readonly T[]> =>
    services instanceof Failure ? Promise.reject(services) : Promise.resolve(services as readonly T[]);
  const kubectl = ["kubectl", "--kubeconfig", "/srv/my site/kubeconfig"];
  const about = {
    namespace: "higress-system",
    seconds: 41.4,
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
});
