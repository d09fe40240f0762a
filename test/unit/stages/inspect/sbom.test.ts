import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { BundleDocument } from "../../../../src/model/bundle.ts";
import { sbomOf } from "../../../../src/stages/inspect/sbom.ts";
import { anImage, aWasmPlugin } from "../../../rig/graph.ts";
import { aLockItem } from "../../../rig/lock-item.ts";

const text = z.string().min(1);
/** The rules of https://cyclonedx.org/schema/bom-1.6.schema.json for every member that we write; nothing else may be there. */
const Component = z.strictObject({
  type: z.enum(["application", "container", "library"]),
  "bom-ref": text.optional(),
  name: z.string(),
  version: z.string().max(1024),
  purl: z
    .string()
    .regex(/^pkg:(oci|helm)\/[a-z0-9._%-]+@[^\s?]+(\?[a-z_]+=[^\s&]+(&[a-z_]+=[^\s&]+)*)?$/)
    .optional(),
  hashes: z
    .array(z.strictObject({ alg: z.literal("SHA-256"), content: z.string().regex(/^[a-f0-9]{64}$/) }))
    .optional(),
  licenses: z.array(z.strictObject({ license: z.strictObject({ name: text }) })).optional(),
  properties: z.array(z.strictObject({ name: text, value: z.string() })).optional(),
});
const Bom = z.strictObject({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.6"),
  serialNumber: z
    .string()
    .regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    .regex(/-8[0-9a-f]{3}-[89ab]/),
  version: z.int().min(1),
  metadata: z.strictObject({
    timestamp: z.iso.datetime(),
    tools: z.strictObject({ components: z.array(Component) }),
    component: Component,
  }),
  components: z.array(Component),
  dependencies: z.array(z.strictObject({ ref: text, dependsOn: z.array(text).optional() })),
});

const image = anImage();
const document = {
  name: "higress",
  version: "2.2.4",
  created: "2026-01-02T03:04:05Z",
  tool: { name: "higress-airgap", version: "1.0.0" },
  items: [
    { ...aLockItem("registry.example:5000/higress/gateway:2.2.4", image), licence: "Apache-2.0" },
    aLockItem("higress.io/helm-charts/higress:2.2.4", image, {
      kind: "chart",
      name: "higress",
      version: "2.2.4",
    }),
    aLockItem("oci://registry.example/plugins/key-auth:1.0.0", aWasmPlugin(), { kind: "plugin", name: "key-auth" }),
    aLockItem("docker.io/library/redis:7", image),
  ],
} as unknown as BundleDocument;

describe("the SBOM", () => {
  const sbom = sbomOf(document, "a".repeat(64));

  it("follows CycloneDX 1.6", () => {
    expect(Bom.parse(JSON.parse(JSON.stringify(sbom)))).toEqual(JSON.parse(JSON.stringify(sbom)));
  });

  it("has one component an item, with the digest that is carried", () => {
    expect(sbom.components.map(({ hashes }) => `sha256:${hashes?.[0]?.content ?? ""}`)).toEqual(
      document.items.map(({ root }) => root.digest),
    );
  });

  it("names images and plugins as pkg:oci, charts as pkg:helm", () => {
    const digest = encodeURIComponent(image.root.digest);
    expect(sbom.components.map(({ purl }) => purl)).toMatchObject([
      `pkg:oci/gateway@${digest}?repository_url=registry.example%3A5000%2Fhigress%2Fgateway&tag=2.2.4`,
      "pkg:helm/higress@2.2.4",
      expect.stringMatching(/^pkg:oci\/key-auth@sha256%3A/),
      `pkg:oci/redis@${digest}?repository_url=docker.io%2Flibrary%2Fredis&tag=7`,
    ]);
  });

  it("gives every component its own reference, also when two items are the same bytes", () => {
    const refs = sbom.dependencies.map(({ ref }) => ref);
    expect(new Set(refs).size).toBe(refs.length);
    expect(sbom.dependencies[0]?.dependsOn).toEqual(refs.slice(1));
  });

  it("is the same for the same bundle, and another for another", () => {
    expect(sbomOf(document, "a".repeat(64))).toEqual(sbom);
    expect(sbomOf(document, "b".repeat(64)).serialNumber).not.toBe(sbom.serialNumber);
  });
});
