import { pluginLabels, type WasmPlugin } from "../../model/wasm-plugin.ts";

export interface BuiltIn {
  readonly name: string;
  /** info.version of its spec.yaml. */
  readonly version: string;
  readonly namespace: string;
  readonly url: string;
  readonly category?: string | undefined;
  readonly phase?: string | undefined;
  readonly priority?: number | undefined;
  readonly config?: unknown;
  readonly pullSecret?: string | undefined;
}

/** No host has this name (RFC 2606), so no request meets the plugin while the gateway already loads and starts it. */
const canaryDomain = "canary.higress-airgap.invalid";

/** A built-in plugin as the console itself would save it, so that the console shows it and can change it. */
export function builtInPlugin(plugin: BuiltIn): WasmPlugin {
  const { name, version, namespace, url, category = "custom", phase, priority, config, pullSecret } = plugin;
  return {
    apiVersion: "extensions.higress.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: {
      name: `${name}-${version}`,
      namespace,
      labels: {
        [pluginLabels.name]: name,
        [pluginLabels.version]: version,
        [pluginLabels.category]: category,
        [pluginLabels.builtIn]: "true",
        "higress.io/resource-definer": "higress",
      },
    },
    spec: {
      url,
      failStrategy: "FAIL_OPEN",
      imagePullPolicy: "IfNotPresent",
      ...(phase === undefined ? {} : { phase }),
      ...(priority === undefined ? {} : { priority }),
      ...(pullSecret === undefined ? {} : { imagePullSecret: pullSecret }),
      defaultConfig: config ?? {},
      defaultConfigDisable: false,
    },
  };
}

/** The same plugin for nobody's requests. `undefined` when it has no configuration that a rule could carry. */
export function canaryOf(plugin: WasmPlugin): WasmPlugin | undefined {
  const { spec = {} } = plugin;
  const first = spec.matchRules?.find(({ configDisable }) => configDisable !== true);
  const config = spec.defaultConfigDisable === true ? first?.["config"] : spec.defaultConfig;
  if (spec.pluginConfig !== undefined || config === undefined) return undefined;
  const rule = { domain: [canaryDomain], config, configDisable: false };
  return { ...plugin, spec: { ...spec, defaultConfigDisable: true, matchRules: [rule] } };
}

/** Does the cluster already have every field that we would say? */
export function isAlready(wanted: unknown, live: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return wanted === live;
  if (typeof live !== "object" || live === null || Array.isArray(wanted) !== Array.isArray(live)) return false;
  if (Array.isArray(wanted) && Array.isArray(live) && wanted.length !== live.length) return false;
  return Object.entries(wanted).every(([key, value]) => isAlready(value, (live as Record<string, unknown>)[key]));
}
