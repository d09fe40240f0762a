import type { ModuleStarter } from "../../stages/plugins/ports.ts";
import { checkPlugin, type GatewayTable } from "../../stages/plugins/check.ts";
import { pluginLayout } from "../../stages/plugins/layout.ts";
import { readModule } from "../../stages/plugins/read-module.ts";
import { repackPlugin } from "../../stages/plugins/repack.ts";
import type { ExaminePlugin } from "../../stages/resolve/ports.ts";
import { digestOf } from "../../model/digest.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { MediaType } from "../../model/media-type.ts";

export interface ExamineOptions {
  readonly gateway: string;
  readonly gateways: GatewayTable;
  readonly starter: ModuleStarter;
  readonly signal?: AbortSignal | undefined;
}

/** A plugin's life before the cluster sees it: layout, repacking where the gateway would refuse, then a real start. */
export function examiner(options: ExamineOptions): ExaminePlugin {
  return async (name, manifest, mediaType, content) => {
    const layout = pluginLayout(manifest, mediaType as (typeof MediaType)[keyof typeof MediaType]);
    const findings: Finding[] = [];
    const wasmLayer = layout.shape === "unloadable" ? layout.wasmLayer : layout.layer;
    if (layout.shape === "unloadable" && wasmLayer === undefined) {
      return { findings: [finding("error", "plugin.layout", { plugin: name, reference: name, why: layout.why })] };
    }
    const replacement =
      layout.shape === "unloadable" && wasmLayer !== undefined ? repackPlugin(manifest, wasmLayer) : undefined;
    if (replacement !== undefined) {
      findings.push(
        finding("note", "plugin.repacked", {
          plugin: name,
          from: layout.shape,
          to: replacement.manifest.descriptor.digest,
        }),
      );
    }
    const module = await readModule(layout, content, { name, signal: options.signal });
    const checked = await checkPlugin(
      { name, reference: digestOf(module), module, gateway: options.gateway },
      options.gateways,
      options.starter,
      { signal: options.signal },
    );
    return { replacement, findings: [...findings, ...checked.findings] };
  };
}
