import type { Graph } from "../builders/graph.ts";
import { anIndex } from "../builders/images.ts";
import { aWasmPlugin } from "../builders/plugins.ts";
import { code } from "../wasm/module.ts";
import { oddModules } from "./modules.ts";
import { anEnvoyPlugin } from "./plugins.ts";
import { hosts } from "./world.ts";

/** One way in which a plugin does not work. */
export interface Situation {
  /** The symptom that tells of it. */
  readonly symptom: string;
  /** What is in the registry, under a name made of the situation's. */
  readonly content?: Graph;
  /** Over a plugin of that name. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** It breaks under requests only. */
  readonly asked?: boolean;
}

/** Servers of a recording besides those of the world: what they do is in their names. */
export const besides = {
  misnamed: "misnamed.example:8446",
  realm: "harbor.airgap.example:8447",
  files: "files.example:8081",
  refuses: "harbor.airgap.example:8449",
} as const;

/** By what is odd about the module in `modules.ts`. */
const byModule: Readonly<Record<string, string>> = {
  "an import of the gateway's own that is not there": "wasm-import",
  "an import of WASI that is not there": "wasm-import",
  "an import with other parameters": "wasm-signature",
  "a callback without its result": "wasm-signature",
  "an imported global": "wasm-import",
  "a metric defined in _initialize": "wasm-early-call",
  "no ABI": "wasm-abi",
  "no malloc": "wasm-export-missing",
  "a trap in _initialize": "wasm-start-trap",
  "a trap in main": "wasm-start-trap",
  "a trap in proxy_on_context_create": "wasm-start-trap",
  "a trap in proxy_on_vm_start": "wasm-start-trap",
  "vm_start answers 0": "wasm-start-refused",
  "a trap in proxy_on_configure": "wasm-configure-trap",
  "a recursion in configure": "wasm-configure-trap",
  "configure answers 0": "wasm-config",
  "a start section that traps": "wasm-unstartable",
  "a start section that logs": "gateway-segfault",
  "a cut end": "wasm-corrupt",
  "a page of HTML": "wasm-not-wasm",
};

const from = (host: string, name = "good") => ({ url: `oci://${host}/${name}:1` });
const file = (name: string) => ({ url: `http://${besides.files}/${name}` });

const byFetch = (): Readonly<Record<string, Situation>> => ({
  "another checksum": { symptom: "wasm-checksum", content: good(), spec: { sha256: "0".repeat(64) } },
  "one layer": { symptom: "wasm-layout", content: aWasmPlugin({ module: anEnvoyPlugin(), layout: "single" }) },
  "an index without the platform": { symptom: "wasm-platform", content: anIndex({ "linux/arm64": good() }) },
  "a pull secret that is not there": {
    symptom: "wasm-pull-secret-missing",
    content: good(),
    spec: { imagePullSecret: "nosuch" },
  },
  "no pull secret": { symptom: "registry-unauthorized", content: good(), spec: { imagePullSecret: "" } },
  "a registry with an unknown CA": { symptom: "registry-ca-unknown", spec: from(hosts.stranger) },
  "an expired certificate": { symptom: "registry-certificate-expired", spec: from(hosts.expired) },
  "a certificate of another name": { symptom: "registry-certificate-name", spec: from(besides.misnamed) },
  "a realm that is no URL": { symptom: "registry-realm-no-url", spec: from(besides.realm) },
  "a repository that is not there": { symptom: "plugin-not-in-registry", spec: from(hosts.harbor, "nosuch") },
  "a registry that does not listen": { symptom: "wasm-registry-refused", spec: from(besides.refuses) },
  "a registry that speaks no TLS and has no such plugin": {
    symptom: "plugin-not-in-registry",
    spec: from(besides.files),
  },
  "a file that is not there": { symptom: "wasm-http-missing", spec: file("404.wasm") },
  "a file server in trouble": { symptom: "wasm-http-failed", spec: file("503.wasm") },
  "a file that is no module": { symptom: "wasm-not-wasm", spec: file("200.wasm") },
  "an address of another kind": { symptom: "wasm-url-scheme", spec: { url: "ftp://files.example/x.wasm" } },
  "a trap in a request": {
    symptom: "wasm-request-trap",
    content: aWasmPlugin({
      module: anEnvoyPlugin({ proxy_on_request_headers: { parameters: 3, results: 1, body: code.trap } }),
    }),
    asked: true,
  },
});

const good = (): Graph => aWasmPlugin({ module: anEnvoyPlugin() });

/** Every way in which a plugin is known to fail, and can be made to fail here. */
export async function allSituations(): Promise<Readonly<Record<string, Situation>>> {
  const modules = await oddModules();
  const odd = Object.entries(byModule).map(([name, symptom]): [string, Situation] => {
    const module = modules[name];
    if (module === undefined) throw new Error(`modules.ts has no ${name}`);
    return [name, { symptom, content: aWasmPlugin({ module }) }];
  });
  return { ...Object.fromEntries(odd), ...byFetch() };
}
