import type { KubeObject } from "../../model/kubernetes.ts";
import { isValues, mergeValues, nest, splitPath, valueAt, type Values } from "../../model/values.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";

/** Where hgctl writes down what it has installed: https://github.com/alibaba/higress/tree/main/hgctl/pkg/installer */
export const profileName = "higress-profile";

/** What hgctl says of its install. */
export interface HgctlProfile {
  /** Of the chart; `latest` is none. */
  readonly version: string | undefined;
  readonly values: Values;
}

/** Members of the profile that hgctl hands to the chart, and where. What it says under `values` wins over all of them. */
const members = [
  ["global.ingressClass", "global.ingressClass"],
  ["global.enableIstioAPI", "global.enableIstioAPI"],
  ["global.enableGatewayAPI", "global.enableGatewayAPI"],
  ["console.replicas", "higress-console.replicaCount"],
  ["console.o11YEnabled", "higress-console.o11y.enabled"],
  ["console.resources", "higress-console.resources"],
  ["gateway.replicas", "higress-core.gateway.replicas"],
  ["gateway.resources", "higress-core.gateway.resources"],
  ["controller.replicas", "higress-core.controller.replicas"],
  ["controller.resources", "higress-core.controller.resources"],
] as const;

/** `undefined` for a ConfigMap that is no profile. */
export function readProfile(configMap: KubeObject | undefined): HgctlProfile | undefined {
  const text = valueAt(configMap?.["data"], ["profile"]);
  if (typeof text !== "string") return undefined;
  const profile = document(text);
  if (profile === undefined) return undefined;
  const { higressVersion, values } = profile;
  const set = members.flatMap(([from, to]) => {
    const value = valueAt(profile, splitPath(from));
    return value === undefined ? [] : [nest(splitPath(to), value)];
  });
  const local = valueAt(profile, ["global", "install"]) === "local-k8s" ? [nest(["global", "local"], true)] : [];
  return {
    version: typeof higressVersion === "string" && /^v?\d/.test(higressVersion) ? higressVersion : undefined,
    values: mergeValues(...set, ...local, isValues(values) ? values : {}),
  };
}

function document(text: string): Values | undefined {
  try {
    return loadTyped(text).find(isValues);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return undefined;
  }
}
