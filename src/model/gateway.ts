import * as z from "zod";
import type { LockItem } from "./lock.ts";
import { inRange, VersionRange } from "./version-range.ts";

const Calls = z.array(z.string().regex(/^[a-z0-9_]+$/));

const Types = z.record(z.string(), z.string().regex(/^[a-z0-9 ]+ -> [a-z0-9 ]+$/));

/** What one generation of the gateway's Wasm host offers to a plugin. */
export const GatewayGeneration = z.strictObject({
  abis: z.array(z.string()).describe("What follows proxy_abi_version_ in the export that a plugin must have"),
  proxy: Calls.describe("Host calls of module env, without proxy_, that every ABI has here"),
  wasi: Calls.describe("Calls of wasi_snapshot_preview1 and wasi_unstable"),
});
export interface GatewayGeneration extends z.output<typeof GatewayGeneration> {}

/** `manifests/higress/gateways.yaml`: which release can load which plugin. */
export const GatewayGenerations = z.strictObject({
  apiVersion: z.literal("higress-airgap/v1"),
  kind: z.literal("GatewayGenerations"),
  env: z.array(z.string()).describe("Calls of module env that are no proxy_ calls"),
  abiCalls: z.record(z.string(), Calls).describe("ABI to the host calls that it adds, without proxy_"),
  callTypes: Types.describe("Host call to its type"),
  callbackTypes: Types.describe("Function that the gateway calls to its type"),
  oldCallbackTypes: Types.describe("The same for ABI 0_1_0 where it differs"),
  earlyCalls: Calls.describe("Host calls that are allowed before proxy_on_context_create"),
  generations: z.record(z.string(), GatewayGeneration),
  releases: z
    .array(z.strictObject({ versions: VersionRange, generation: z.string() }))
    .describe("Releases of the Higress chart and their generation; what no range holds, nobody has shown"),
});
export interface GatewayGenerations extends z.output<typeof GatewayGenerations> {}

/** The generation of a Higress release; `undefined` when it is not known, which is not the same as unable. */
export function generationOf(
  document: GatewayGenerations,
  release: string,
): { readonly name: string; readonly generation: GatewayGeneration } | undefined {
  const name = document.releases.find(({ versions }) => inRange(release, versions))?.generation;
  if (name === undefined) return undefined;
  const generation = document.generations[name];
  return generation === undefined ? undefined : { name, generation };
}

/**
 * The release that decides what a gateway can load: that of the Higress chart, not of the bundle, which its owner names
 * and counts as he likes.
 */
export function gatewayRelease(
  charts: readonly { readonly name: string; readonly version?: string | undefined }[],
  otherwise: string,
): string {
  return charts.find(({ name }) => /(^|\/)higress(-core)?$/.test(name))?.version ?? otherwise;
}

/** The `gatewayRelease` of what a bundle carries. */
export function carriedRelease({
  items,
  version,
}: {
  readonly items: readonly LockItem[];
  readonly version: string;
}): string {
  return gatewayRelease(
    items.filter(({ kind }) => kind === "chart"),
    version,
  );
}
