import { nearest } from "../std/nearest.ts";
import { finding, type Finding } from "./finding.ts";
import type { KubeObject, PatchOperation } from "./kubernetes.ts";
import { mapAt, textAt, type RenderedObject } from "./rendered-object.ts";
import { sanitize } from "./sanitize.ts";

/** The fields of `spec` in extensions.higress.io/v1alpha1. The API server drops others without a word. */
const higress = [
  "url",
  "sha256",
  "imagePullPolicy",
  "imagePullSecret",
  "verificationKey",
  "pluginConfig",
  "pluginName",
  "phase",
  "priority",
  "failStrategy",
  "vmConfig",
  "defaultConfig",
  "defaultConfigDisable",
  "matchRules",
] as const;
/** What Istio's own WasmPlugin has besides. */
const istio = ["selector", "targetRef", "targetRefs", "match", "type"] as const;

/** Fields that guides name and no schema has, and what was meant. */
const meant: Readonly<Record<string, string>> = {
  "settings.image": "spec.url",
  "settings.url": "spec.url",
  settings: "spec.url, spec.defaultConfig",
  image: "spec.url",
  imagePullSecrets: "spec.imagePullSecret",
  config: "spec.defaultConfig",
  rules: "spec.matchRules",
};

/** Every field of a WasmPlugin's spec that its schema does not have, with the one that was probably meant. */
export function unknownFields(plugin: RenderedObject, manifest: string): readonly Finding[] {
  const known: ReadonlySet<string> = new Set(
    textAt(plugin, "apiVersion")?.startsWith("extensions.istio.io/") === true ? [...higress, ...istio] : higress,
  );
  const spec = mapAt(plugin, "spec");
  return Object.keys(spec)
    .filter((field) => !known.has(field))
    .flatMap((field) => withInner(field, spec))
    .map((field) => {
      const near = nearest(field, known);
      const instead = Object.hasOwn(meant, field) ? meant[field] : near === undefined ? undefined : `spec.${near}`;
      return finding("error", "plugin.unknown-field", {
        manifest,
        field: `spec.${sanitize(field, 60)}`,
        // No known field is spelt like it: all fields are named.
        instead: instead ?? [...known].map((name) => `spec.${name}`).join(" | "),
      });
    });
}

/** `settings` says less than `settings.image`: where a known mistake is inside, that is what is named. */
function withInner(field: string, spec: RenderedObject): readonly string[] {
  const inner = Object.keys(mapAt(spec, field)).map((key) => `${field}.${key}`);
  const named = inner.filter((path) => Object.hasOwn(meant, path));
  return named.length > 0 ? named : [field];
}

/** A WasmPlugin as far as it decides what the gateway downloads (docs/facts/higress.md#wasmplugin-fields). */
export interface WasmPlugin extends KubeObject {
  readonly spec?: {
    readonly url?: string;
    readonly imagePullSecret?: string;
    readonly pluginConfig?: unknown;
    readonly defaultConfig?: unknown;
    readonly defaultConfigDisable?: boolean;
    readonly matchRules?: readonly MatchRule[];
    readonly [field: string]: unknown;
  };
}

export interface MatchRule {
  readonly configDisable?: boolean;
  readonly [field: string]: unknown;
}

/** Of Higress' group or of Istio's own. */
export function isWasmPlugin(object: RenderedObject): boolean {
  const group = /^extensions\.(higress|istio)\.io\//;
  return textAt(object, "kind") === "WasmPlugin" && group.test(textAt(object, "apiVersion") ?? "");
}

/** What the console writes of a built-in plugin, and finds it by: the object's own name ends with the version. */
const aboutPlugin = "higress.io/wasm-plugin";
export const pluginLabels = {
  name: `${aboutPlugin}-name`,
  version: `${aboutPlugin}-version`,
  category: `${aboutPlugin}-category`,
  builtIn: `${aboutPlugin}-built-in`,
} as const;

export const wasmPluginResource = "wasmplugins.extensions.higress.io";

/** Does the controller hand it to the gateway, so that it is downloaded? (ingress_config.go, convertIstioWasmPlugin) */
export function isEnabled({ spec = {} }: WasmPlugin): boolean {
  if (spec.pluginConfig !== undefined || spec.defaultConfigDisable !== true) return true;
  return spec.matchRules?.some(({ configDisable }) => configDisable !== true) === true;
}

/** What is done to an object, and what undoes it. */
export interface PatchPair {
  readonly apply: PatchOperation[];
  readonly undo: PatchOperation[];
}

/**
 * Switches a plugin off: the default off and every rule off. Configurations stay where they are; they may hold keys.
 * @returns empty lists when it is off already; undefined when it has both a raw and a default configuration
 */
export function switchOff({ spec = {} }: WasmPlugin): PatchPair | undefined {
  const { pluginConfig, defaultConfig, defaultConfigDisable, matchRules = [] } = spec;
  const pair: PatchPair = { apply: [], undo: [] };
  if (pluginConfig !== undefined) {
    // A raw configuration is active whatever the switches say; as a default one it is not.
    if (defaultConfig !== undefined) return undefined;
    pair.apply.push({ op: "move", from: "/spec/pluginConfig", path: "/spec/defaultConfig" });
    pair.undo.push({ op: "move", from: "/spec/defaultConfig", path: "/spec/pluginConfig" });
  }
  turnOn(pair, "/spec/defaultConfigDisable", defaultConfigDisable);
  matchRules.forEach(({ configDisable }, at) => {
    turnOn(pair, `/spec/matchRules/${at}/configDisable`, configDisable);
  });
  return pair;
}

function turnOn({ apply, undo }: PatchPair, path: string, was: boolean | undefined): void {
  if (was === true) return;
  apply.push({ op: "add", path, value: true });
  // The test keeps an operator's later decision: what was switched on by hand since is not switched twice.
  undo.push({ op: "test", path, value: true });
  undo.push(was === undefined ? { op: "remove", path } : { op: "replace", path, value: was });
}

/** Patches that make a plugin come from another place, and that undo it: the URL, and the secret to pull it with. */
export function repoint({ spec = {} }: WasmPlugin, target: string, secret: string | undefined): PatchPair {
  const url = spec.url ?? "";
  const had = spec.imagePullSecret;
  const path = "/spec/imagePullSecret";
  const pair: PatchPair = { apply: moved(url, target), undo: moved(target, url) };
  if (secret !== undefined && secret !== had) {
    pair.apply.push({ op: "add", path, value: secret });
    pair.undo.push(had === undefined ? { op: "remove", path } : { op: "replace", path, value: had });
  }
  return pair;
}

function moved(from: string, to: string): PatchOperation[] {
  const path = "/spec/url";
  return [
    { op: "test", path, value: from },
    { op: "replace", path, value: to },
  ];
}
