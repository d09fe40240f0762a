import { createHash } from "node:crypto";
import type { BundleDocument } from "../../model/bundle.ts";
import type { LockItem } from "../../model/lock.ts";
import { parseReference } from "../../model/reference.ts";

/** https://cyclonedx.org/docs/1.6/json/, the members that a bundle can fill truthfully. */
export interface Sbom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: {
    readonly timestamp: string;
    readonly tools: { readonly components: readonly Component[] };
    readonly component: Component;
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

interface Component {
  readonly type: "application" | "container" | "library";
  readonly "bom-ref"?: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: "SHA-256"; readonly content: string }[];
  readonly licenses?: readonly object[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/**
 * What a bundle carries, one component an item. It says nothing of the packages inside images: a scanner does, on the
 * digests that stand here. The serial number is made of the bundle's id, so the same bundle gives the same bytes.
 */
export function sbomOf(document: BundleDocument, id: string): Sbom {
  const components = document.items.map(componentOf);
  const root = `bundle:${id}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(id)}`,
    version: 1,
    metadata: {
      timestamp: document.created,
      tools: {
        components: [{ type: "application", name: document.tool.name, version: document.tool.version }],
      },
      component: { type: "application", "bom-ref": root, name: document.name, version: document.version },
    },
    components,
    dependencies: [
      { ref: root, dependsOn: components.map((component) => component["bom-ref"]) },
      ...components.map((component) => ({ ref: component["bom-ref"] })),
    ],
  };
}

const typeOf = { image: "container", plugin: "library", chart: "application" } as const;

function componentOf(item: LockItem, at: number): Component & { readonly "bom-ref": string } {
  const { digest, size } = item.root;
  const { licence } = item;
  return {
    type: typeOf[item.kind],
    "bom-ref": `${at}:${digest}`,
    name: item.name,
    version: item.version ?? tagOf(item.reference) ?? digest,
    ...purlOf(item),
    hashes: [{ alg: "SHA-256", content: digest.slice("sha256:".length) }],
    // Names of licences come from image labels: they are text, not SPDX identifiers, until somebody has checked them.
    ...(licence === undefined ? {} : { licenses: [{ license: { name: licence } }] }),
    properties: [
      { name: "higress-airgap:kind", value: item.kind },
      { name: "higress-airgap:reference", value: item.reference },
      { name: "higress-airgap:role", value: item.role },
      { name: "higress-airgap:bytes", value: String(item.bytes) },
      { name: "higress-airgap:root-size", value: String(size) },
      ...item.platforms.map((platform) => ({ name: "higress-airgap:platform", value: platform })),
    ],
  };
}

/** https://github.com/package-url/purl-spec: `pkg:oci/name@digest?repository_url=…&tag=…`, `pkg:helm/name@version`. */
function purlOf(item: LockItem): { readonly purl?: string } {
  if (item.kind === "chart" && item.version !== undefined)
    return { purl: `pkg:helm/${encodeURIComponent(item.name)}@${encodeURIComponent(item.version)}` };
  const repository = repositoryOf(item.reference);
  if (repository === undefined) return {};
  const name = repository.split("/").at(-1) ?? repository;
  const tag = tagOf(item.reference);
  const tagged = tag === undefined ? "" : `&tag=${encodeURIComponent(tag)}`;
  return {
    purl: `pkg:oci/${encodeURIComponent(name.toLowerCase())}@${encodeURIComponent(item.root.digest)}?repository_url=${encodeURIComponent(repository)}${tagged}`,
  };
}

function repositoryOf(reference: string): string | undefined {
  try {
    const { registry, repository } = parseReference(reference);
    return `${registry}/${repository}`;
  } catch {
    return undefined;
  }
}

function tagOf(reference: string): string | undefined {
  return /:([A-Za-z0-9_][A-Za-z0-9_.-]*)(@sha256:[0-9a-f]+)?$/.exec(reference.replace(/^[a-z]+:\/\//, ""))?.[1];
}

/** A version-8 UUID (RFC 9562: the content is ours), out of the bundle's id. */
function uuidOf(id: string): string {
  const hex = createHash("sha256").update(id).digest("hex");
  const variant = ((parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
