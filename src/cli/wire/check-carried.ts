import { moduleStarter } from "../../edge/wasm/starter.ts";
import { isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import { checkPlugin, type PluginCheck } from "../../stages/plugins/check.ts";
import { readModule } from "../../stages/plugins/read-module.ts";
import { checkedContent, layoutOf, type CarriedPlugin } from "./carried-plugins.ts";
import { loadGateways } from "./gateways.ts";

export interface CheckedPlugin {
  readonly name: string;
  readonly version: string;
  readonly layout: string;
  readonly abi?: string | undefined;
  readonly memory?: number | undefined;
  readonly start: PluginCheck["start"];
  readonly findings: readonly Finding[];
}

export type CheckCarried = (plugin: CarriedPlugin, configs: readonly string[]) => Promise<CheckedPlugin>;

/** Checks a plugin as it lies in the bundle: would this release's gateway take it out, load it, and be content? */
export async function checkCarried(bundle: Bundle, gateway: string, signal?: AbortSignal): Promise<CheckCarried> {
  const gateways = await loadGateways();
  const starter = moduleStarter();
  const content = checkedContent(bundle);
  return async (plugin, configs) => {
    const { name, reference } = plugin.item;
    const facts = { name, version: plugin.version };
    const refused = (why: string, layout: string): CheckedPlugin => {
      const found = finding("error", "plugin.layout", { plugin: name, reference, why });
      return { ...facts, layout, start: "skipped", findings: [found] };
    };
    const layout = await layoutOf(plugin, content, signal);
    if (layout.shape === "unloadable") return refused(layout.why, layout.shape);
    let module: Uint8Array;
    try {
      module = await readModule(layout, content, { name, signal });
    } catch (error) {
      if (isFailure(error, "PLUGIN_UNUSABLE")) return refused(error.facts.why, layout.shape);
      throw error;
    }
    const checks: PluginCheck[] = [];
    // Without a configuration there is one start all the same.
    for (const config of configs.length === 0 ? [undefined] : configs)
      checks.push(await checkPlugin({ name, reference, module, gateway, config }, gateways, starter, { signal }));
    return { ...facts, layout: layout.shape, ...summary(checks) };
  };
}

/** Of several configurations, the one that a gateway likes least. */
function summary(checks: readonly PluginCheck[]): Pick<CheckedPlugin, "abi" | "memory" | "start" | "findings"> {
  const worst = checks.find(({ start }) => start === "refused") ?? checks.at(-1);
  const findings = new Map(checks.flatMap((check) => check.findings).map((each) => [JSON.stringify(each), each]));
  const { abi, memory, start = "skipped" } = worst ?? {};
  return { abi, memory, start, findings: [...findings.values()] };
}
