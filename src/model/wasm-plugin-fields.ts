import { finding, type Finding } from "./finding.ts";
import { mapAt, textAt, type RenderedObject } from "./rendered-object.ts";
import { sanitize } from "./sanitize.ts";
import { nearest } from "../std/nearest.ts";

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
        instead: instead ?? "",
      });
    });
}

/** `settings` says less than `settings.image`: where a known mistake is inside, that is what is named. */
function withInner(field: string, spec: RenderedObject): readonly string[] {
  const inner = Object.keys(mapAt(spec, field)).map((key) => `${field}.${key}`);
  const named = inner.filter((path) => Object.hasOwn(meant, path));
  return named.length > 0 ? named : [field];
}
