import type { Finding } from "../model/finding.ts";
import { parseManifest } from "../model/manifest.ts";
import type { PluginRecord } from "../model/receipt.ts";
import type { Site } from "../model/site.ts";
import type { WasmPlugin } from "../model/wasm-plugin.ts";
import { settleLeftovers, type Leftovers } from "../stages/apply/leftovers.ts";
import { pluginLayout } from "../model/plugin-layout.ts";
import { enablePlugins } from "../stages/plugin-rollout/enable.ts";
import { gatewayPull } from "../stages/plugins/gateway-pull.ts";
import type { InstallOptions, InstallPorts } from "./install-ports.ts";
import type { InstallPlan } from "./install-plan.ts";
import { isInside, pluginTarget } from "./wanted-plugins.ts";

/** The pull that the gateway will do, done here with its credentials: a wrong secret is found before the cluster sees it. */
export async function pullAsGateway(
  mapped: InstallPlan["mapped"],
  site: Site,
  ports: Pick<InstallPorts, "asPuller">,
  options: Pick<InstallOptions, "signal">,
): Promise<readonly Finding[]> {
  const plugins = mapped.flatMap(({ item, targets: [target] }) =>
    item.kind === "plugin" && target !== undefined ? [{ name: item.name, target, digest: item.root.digest }] : [],
  );
  await using puller = await ports.asPuller();
  return await gatewayPull(plugins, (name) => puller.repository(name), {
    host: site.registry.host,
    as: site.pull.credentials?.username ?? site.registry.credentials?.username ?? "anonymous",
    layout: layoutRefusal,
    signal: options.signal,
  });
}

/** `undefined`: the gateway takes it. */
function layoutRefusal(bytes: Uint8Array, mediaType: string): string | undefined {
  const manifest = parseManifest(bytes, mediaType);
  if (manifest.kind === "index") return undefined;
  const layout = pluginLayout(manifest);
  return layout.shape === "unloadable" ? layout.why : undefined;
}

/**
 * Leftovers: WasmPlugins of an earlier install that point outside, for which a new gateway pod would wait before it opens
 * its ports. They are repointed or switched off before the first rollout.
 */
export async function settle(
  plan: InstallPlan,
  site: Site,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<Leftovers> {
  const target = pluginTarget(plan);
  return settleLeftovers(
    {
      namespace: site.cluster.namespace,
      isInside: (url) => isInside(url, plan, site),
      targetOf: (url) => target(url)?.url,
      pullSecret: plan.target.pullSecret,
      signal: options.signal,
    },
    ports.cluster,
  );
}

export interface Switching {
  readonly plugins: readonly WasmPlugin[];
  readonly plan: InstallPlan;
  readonly site: Site;
  /** Into the receipt: what is switched on must be known to an uninstall. */
  readonly keep: (record: PluginRecord) => Promise<void>;
}

/** One after another, each watched; what harms the gateway is switched off again. */
export async function switchOn(
  { plugins, plan, site, keep }: Switching,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<readonly Finding[]> {
  const trust = plan.charts.flatMap(({ relocation }) => relocation.trust)[0];
  if (trust === undefined || plugins.length === 0) return [];
  return enablePlugins(plugins, ports.cluster, {
    gateway: { namespace: site.cluster.namespace, ...trust },
    watchSeconds: site.plugins.watchSeconds,
    symptoms: ports.symptoms,
    report: options.report,
    keep,
    signal: options.signal,
  });
}
