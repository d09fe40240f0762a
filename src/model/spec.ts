import * as z from "zod";
import { parseBytes } from "../std/bytes.ts";
import {
  ChartName,
  ChartVersion,
  expecting,
  HostText,
  isAllowedEntry,
  KubeVersion,
  NameText,
  NamespaceName,
  PlatformText,
  ReferenceText,
  ReleaseName,
  RoleText,
  Sha256Text,
} from "./names.ts";

export const ByteSizeText = expecting("a size: 3900MiB", (text) => parseBytes(text) !== undefined);
const Path = z.string().min(1);
const Values = z.record(z.string(), z.unknown());

/** Where a secret is, never the secret: argv and files that are carried must not hold one. */
export const CredentialsSource = z
  .strictObject({
    username: z.string().min(1).optional(),
    usernameEnv: z.string().min(1).optional(),
    passwordFile: Path.optional(),
    passwordEnv: z.string().min(1).optional(),
  })
  .describe(
    "A user name and where its password is: a file or an environment variable. Absent: docker's config.json and its helpers.",
  );
export interface CredentialsSource extends z.output<typeof CredentialsSource> {}

/** What a URL says before an `@` would be carried in the bundle, and nobody reads it: logins have a place of their own. */
const hasLogin = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/[^/\s]*@/i.test(text);
const Source = expecting("a chart repository, oci:// or file without a login in it", (text) => !hasLogin(text));

export const ClientCertificate = z
  .strictObject({ cert: Path, key: Path })
  .describe("PEM files of the certificate and key that we show to a registry that wants one");
export interface ClientCertificate extends z.output<typeof ClientCertificate> {}

/** One way to reach a registry: the official host, or a mirror that holds the same paths. */
export const EndpointSettings = z.strictObject({
  url: expecting(
    "an http(s) URL without a login in it",
    (text) => /^https?:\/\/[^/\s]+(\/[^\s]*)?$/.test(text) && URL.canParse(text) && !hasLogin(text),
  ).describe("https://mirror.corp:5000, or with a path prefix"),
  ca: Path.optional().describe("PEM file that is trusted besides the system's roots"),
  clientCertificate: ClientCertificate.optional(),
  insecure: z.boolean().default(false).describe("true: do not verify the certificate. Loud, never the default"),
  credentials: CredentialsSource.optional(),
});
export interface EndpointSettings extends z.output<typeof EndpointSettings> {}

export const Registries = z
  .record(HostText, z.strictObject({ endpoints: z.array(EndpointSettings).min(1) }))
  .default({})
  .describe("How to reach a host: its mirrors in the order in which they are tried");
export type Registries = z.output<typeof Registries>;

export const ChartSpec = z.strictObject({
  name: ChartName,
  version: ChartVersion,
  from: Source.min(1).describe("An HTTP chart repository, oci://registry/path, or a local .tgz"),
  mirrors: z.array(Source.min(1)).default([]).describe("Tried in turn when `from` does not answer"),
  release: ReleaseName.optional().describe("Release name. Default: the chart's name"),
  namespace: NamespaceName.default("higress-system"),
  values: Values.default({}).describe("Values of the render that finds the images, and the defaults of the install"),
  valuesFiles: z.array(Path).default([]),
  relocation: Path.optional().describe(
    "Relocation map: which values move which image. Absent: it is learned from the chart",
  ),
});
export interface ChartSpec extends z.output<typeof ChartSpec> {}

const ImageSpec = z.union([
  ReferenceText,
  z.strictObject({
    ref: ReferenceText,
    platforms: z.array(PlatformText).min(1).optional(),
    role: RoleText.optional(),
  }),
]);

export const PluginSpec = z.strictObject({
  name: NameText.describe("The name that the console knows the plugin by"),
  ref: ReferenceText.describe("oci://registry/repository:tag"),
  version: NameText.optional().describe("info.version of its spec.yaml: what ${version} becomes in a URL pattern"),
  category: z.string().optional(),
  phase: z.string().max(64).optional().describe("When the gateway runs it: AUTHN, AUTHZ, STATS, UNSPECIFIED_PHASE"),
  priority: z.number().optional().describe("Within its phase, higher runs first"),
  digest: z.string().optional().describe("The digest that was published; another one is reported as drift"),
  gatewayMinVersion: z.string().optional(),
});
export interface PluginSpec extends z.output<typeof PluginSpec> {}

export const PluginSelection = z.strictObject({
  discover: z.boolean().default(false).describe("Also read the console image for the plugins that it can name"),
  preset: z.enum(["all", "ai-gateway", "none"]).default("all"),
  include: z.array(NameText).default([]),
  exclude: z.array(NameText).default([]),
  list: z.array(PluginSpec).default([]),
  mcpServer: NameText.optional().describe("Which plugin the controller's MCP server URL names"),
});
export interface PluginSelection extends z.output<typeof PluginSelection> {}

const FileSpec = z.strictObject({ path: Path, name: z.string().optional() });
const Download = expecting(
  "a URL without a login in it: https://host/file",
  (text) => /^https?:\/\//i.test(text) && !hasLogin(text),
);
const ToolSpec = z
  .strictObject({
    path: Path.describe("Where it lies; with `from`, where it is put when there is nothing"),
    from: Download.optional().describe("Where it is fetched when there is nothing at `path`"),
    mirrors: z.array(Download).default([]).describe("Tried in turn when `from` does not have it"),
    sha256: Sha256Text.optional().describe("Of the file at `path`; with `from` it must be said"),
    member: z.string().min(1).optional().describe("Which file of a .tar.gz at `path`"),
  })
  .refine(({ from, sha256 }) => from === undefined || sha256 !== undefined, {
    path: ["sha256"],
    error: "expected the sum of what `from` gives: nobody else vouches for it",
  });

/** What the user asks for: `bundle.yaml`. */
export const BundleSpec = z.strictObject({
  apiVersion: z.literal("higress-airgap/v1"),
  kind: z.literal("BundleSpec"),
  name: NameText,
  version: NameText,
  platforms: z.array(PlatformText).min(1).default(["linux/amd64", "linux/arm64"]),
  kubeVersion: KubeVersion.default("1.30.0").describe("Kubernetes version that charts are rendered for"),
  charts: z.array(ChartSpec).default([]),
  images: z
    .array(ImageSpec)
    .default([])
    .describe(
      "Images that no chart names. A tag that a chart names, with a digest behind it: the digest is carried under that tag",
    ),
  plugins: PluginSelection.prefault({}),
  crds: z.array(FileSpec).default([]).describe("CRD files besides those in the charts"),
  manifests: z
    .array(FileSpec)
    .default([])
    .describe("Your own manifests; their images and plugins are found and carried"),
  tools: z
    .record(z.string(), ToolSpec)
    .superRefine((tools, context) => {
      for (const name of Object.keys(tools).filter((tool) => !isAllowedEntry(`bin/${tool}`)))
        context.addIssue({ code: "custom", path: [name], message: "expected a name: letters, digits, . _ -" });
    })
    .default({})
    .describe("helm-linux-amd64, kubectl-linux-arm64, …: executables for bin/"),
  registries: Registries,
});
export interface BundleSpec extends z.output<typeof BundleSpec> {}
