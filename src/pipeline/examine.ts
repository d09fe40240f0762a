import { finding, type Finding } from "../model/finding.ts";
import { parseReference, printReference } from "../model/reference.ts";
import { checkPlugin, type GatewayTable } from "../stages/plugins/check.ts";
import { pluginLayout } from "../model/plugin-layout.ts";
import { repackPlugin } from "../stages/plugins/repack.ts";
import type { PluginManifest } from "../stages/plugins/manifests.ts";
import type { ModuleStarter } from "../model/plugin-start.ts";
import { readModule } from "../stages/plugins/read-module.ts";
import type { ExaminePlugin } from "../stages/resolve/ports.ts";

export interface ExamineOptions {
  /** Higress version. */
  readonly gateway: string;
  readonly gateways: GatewayTable;
  readonly starter: ModuleStarter;
  /** The user's WasmPlugins: their configurations are tried on the modules that they name. */
  readonly manifests: readonly PluginManifest[];
  readonly signal?: AbortSignal | undefined;
}

/** A plugin's life before the cluster sees it: layout, repacking where the gateway would refuse, then a real start. */
export function examiner(options: ExamineOptions): ExaminePlugin {
  const { gateway, gateways, starter, signal } = options;
  const configs = configsByReference(options.manifests);
  return async ({ name, reference, root, manifest, content, gatewayMinVersion }) => {
    const layout = pluginLayout(manifest);
    const findings: Finding[] = [];
    const repackable = layout.shape === "unloadable" ? layout.wasmLayer : undefined;
    if (layout.shape === "unloadable" && repackable === undefined)
      return { findings: [finding("error", "plugin.layout", { plugin: name, reference, why: layout.why })] };
    const replacement = repackable === undefined ? undefined : repackPlugin(manifest, repackable, root.digest);
    if (replacement !== undefined) {
      const to = replacement.manifest.descriptor.digest;
      findings.push(finding("note", "plugin.repacked", { plugin: name, from: root.digest, to }));
    }
    const module = await readModule(layout, content, { name, signal });
    for (const config of configs.get(reference) ?? [undefined]) {
      const input = {
        name,
        reference,
        module,
        gateway,
        gatewayMinVersion,
        ...(config === undefined ? {} : { config }),
      };
      findings.push(...(await checkPlugin(input, gateways, starter, { signal })).findings);
    }
    return { replacement, findings };
  };
}

function configsByReference(manifests: readonly PluginManifest[]): ReadonlyMap<string, readonly string[]> {
  const configs = new Map<string, string[]>();
  for (const { url, config } of manifests) {
    if (config === undefined || url === undefined || /^(?:https?|file):/i.test(url)) continue;
    const reference = printReference(parseReference(url));
    configs.set(reference, [...(configs.get(reference) ?? []), config]);
  }
  return configs;
}
