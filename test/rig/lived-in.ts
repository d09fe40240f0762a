import { sampleChart } from "./charts/pack.ts";
import { Planted } from "./planted.ts";

const { registry } = sampleChart;
const namespace = "higress-system";

/** Secrets that stand in a cluster, each in a place of its own. */
export const planted = new Planted();
const secret = {
  value: planted.plant("value"),
  plugin: planted.plant("plugin"),
  setting: planted.plant("setting"),
  address: planted.plant("address"),
};

export const ownersValues = {
  global: { ingressClass: "bank" },
  "higress-core": { gateway: { replicas: 2, env: { BANK_REGION: "north", BANK_TOKEN: secret.value } } },
};

const of = (kind: string, name: string, apiVersion: string, more: object): object => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...more,
});
const plugin = (name: string, spec: object): object =>
  of("WasmPlugin", name, "extensions.higress.io/v1alpha1", { spec });

/** What people made in it, by the console and by hand. */
export const made: readonly object[] = [
  plugin("cors", {
    url: `oci://${registry}/plugins/cors:2.0.1`,
    phase: "AUTHN",
    priority: 340,
    defaultConfig: { allow: ["https://sso.bank.example"] },
  }),
  plugin("key-auth", {
    url: `oci://${registry}/plugins/key-auth:2.0.1`,
    defaultConfig: { consumers: [{ name: "app", credential: secret.plugin }], keys: ["x-api-key"] },
  }),
  plugin("by-hand", { url: "https://files.vendor.example/plugin.wasm" }),
  of("McpBridge", "default", "networking.higress.io/v1", {
    spec: {
      registries: [{ name: "llm", type: "dns", domain: "llm.bank.example", port: 443 }],
    },
  }),
  of("ConfigMap", "higress-console", "v1", {
    data: { "route.json": '{"open":true}', settings: `admin:\n  password: ${secret.setting}\n` },
  }),
  of("ConfigMap", "unrelated", "v1", { data: { own: "of somebody else" } }),
  of("Ingress", "shop", "networking.k8s.io/v1", {
    metadata: {
      name: "shop",
      namespace,
      annotations: {
        "higress.io/destination": "100% erp.bank.example.dns:443",
        "bank/note": `https://app:${secret.address}@wiki.bank.example/`,
      },
    },
    spec: { ingressClassName: "bank", tls: [{ secretName: "shop-tls" }], rules: [{ host: "shop.bank.example" }] },
  }),
];

/** A chart that nobody publishes, and that has no other one below it. */
export const bankChart: Readonly<Record<string, string>> = {
  "values.yaml": 'a: "0644"\n',
  "templates/a.yaml": `apiVersion: v1
kind: ConfigMap
metadata: { name: bank }
data: { a: {{ .Values.a | quote }} }
`,
  "crds/a.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: branches.bank.example }
spec:
  group: bank.example
  scope: Namespaced
  names: { kind: Branch, plural: branches }
  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }]
`,
};
