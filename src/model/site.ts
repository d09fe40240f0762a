import * as z from "zod";
import { expecting, HostText, NamespaceName, NameText, ObjectName, ProjectText, ReleaseName } from "./names.ts";
import { isInsidePattern } from "./host.ts";
import { ByteSizeText, ClientCertificate, CredentialsSource, Registries } from "./spec.ts";

const Path = z.string().min(1);

const Target = z.strictObject({
  host: HostText.describe("harbor.corp or harbor.corp:8443: the name that the cluster's nodes use"),
  project: ProjectText.describe("Harbor project, or a path prefix on a plain registry"),
  plainHttp: z.boolean().default(false),
  ca: Path.optional().describe("PEM file of the CA that signed Harbor's certificate"),
  clientCertificate: ClientCertificate.optional(),
  insecure: z.boolean().default(false).describe("true: do not verify the certificate. Prefer `ca`"),
  credentials: CredentialsSource.optional().describe("Who pushes"),
  pathTemplate: z
    .strictObject({ image: z.string().optional(), plugin: z.string().optional(), chart: z.string().optional() })
    .prefault({})
    .describe("Where things land: {registry}, {project}, {path}, {name}. Default {registry}/{project}/{path}"),
  createProject: z
    .strictObject({ public: z.boolean().default(false), storageLimit: ByteSizeText.optional() })
    .optional()
    .describe("Create the project when it is missing"),
});
export interface Target extends z.output<typeof Target> {}

const Pull = z.strictObject({
  secretName: ObjectName.default("higress-airgap-pull"),
  credentials: CredentialsSource.optional().describe("Who pulls, from inside the cluster. Default: who pushes"),
  robot: z.boolean().default(false).describe("Create a robot account with pull for the cluster"),
});

const Cluster = z.strictObject({
  kubeconfig: Path.optional(),
  context: z.string().optional(),
  namespace: NamespaceName.default("higress-system"),
  release: ReleaseName.default("higress"),
  helm: Path.optional(),
  kubectl: Path.optional(),
  rolloutSeconds: z.int().min(5).max(7200).default(600),
});

const SitePlugins = z.strictObject({
  mode: z.enum(["oci", "http", "none"]).default("oci"),
  url: z.string().optional().describe("http mode: the server that holds /plugins/<name>/<version>/plugin.wasm"),
  enable: z.array(NameText).default([]).describe("Plugins that are switched on, in groups of 16"),
  disable: z.array(NameText).default([]).describe("Plugins that are left out"),
  manifests: z.array(Path).default([]).describe("Your WasmPlugin manifests; their URLs are rewritten"),
  watchSeconds: z.int().min(0).max(3600).default(30),
});

const ReleaseValues = z.strictObject({
  values: z.record(z.string(), z.unknown()).default({}).describe("Over `values` of the site, for this release only"),
  valuesFiles: z.array(Path).default([]),
});

/** The air-gapped side: `site.yaml`. */
export const Site = z.strictObject({
  apiVersion: z.literal("higress-airgap/v1"),
  kind: z.literal("Site"),
  registry: Target,
  pull: Pull.prefault({}),
  cluster: Cluster.prefault({}),
  values: z.record(z.string(), z.unknown()).default({}).describe("Your Helm values; the relocation is laid over them"),
  valuesFiles: z.array(Path).default([]),
  releases: z
    .record(ReleaseName, ReleaseValues)
    .default({})
    .describe("Helm values of one release, where the bundle installs several: `values` are laid over every chart"),
  inside: z
    .array(expecting("a host, host:port, *.domain or a range such as 203.0.113.0/24", isInsidePattern))
    .max(1000)
    .default([])
    .describe("Your own world besides the registry: hosts, *.bank.example, address ranges that may be named"),
  plugins: SitePlugins.prefault({}),
  registries: Registries,
  trustKeys: z
    .array(Path)
    .default([])
    .describe("Public keys (PEM, ECDSA P-256 or SM2). When set, an unsigned bundle is refused"),
  stateDir: Path.optional().describe(
    "Receipts and the values that were used. Default: ./higress-airgap.state beside this file",
  ),
});
export interface Site extends z.output<typeof Site> {}
