import type { Finding } from "../model/finding.ts";
import { finding } from "../model/finding.ts";
import { parseManifest } from "../model/manifest.ts";
import { parseReference, printReference, isReference } from "../model/reference.ts";
import type { Site } from "../model/site.ts";
import type { WasmPlugin } from "../model/wasm-plugin.ts";
import { settleLeftovers, type Leftovers } from "../stages/apply/leftovers.ts";
import { pluginLayout } from "../stages/plugins/layout.ts";
import { gatewayPull } from "../stages/push/gateway-pull.ts";
import { builtInPlugin } from "../stages/plugins-on/document.ts";
import { enablePlugins, type Enabled } from "../stages/plugins-on/enable.ts";
import { rewriteWasmPlugins } from "../stages/relocate/wasm-plugin.ts";
import { loadTyped } from "../std/yaml.ts";
import type { InstallOptions, InstallPorts } from "./install-ports.ts";
import type { Relocated } from "./relocated.ts";

/** Where the plugin behind an original URL is on this site; `undefined` for one that was not carried. */
export function pluginTarget(relocated: Relocated): (url: string) => { readonly url: string } | undefined {
  const places = new Map<string, string>();
  for (const { item, targets } of relocated.mapped) {
    const [first] = targets;
    if (item.kind !== "plugin" || first === undefined) continue;
    for (const name of [item.reference, ...item.aliases])
      places.set(printReference(parseReference(name)), `oci://${printReference(first)}`);
  }
  return (url) => {
    const text = url.replace(/^oci:\/\//i, "");
    const found = isReference(text) ? places.get(printReference(parseReference(text))) : undefined;
    return found === undefined ? undefined : { url: found };
  };
}

/** The pull that the gateway will do, done here with its credentials: a wrong secret is found before the cluster sees it. */
export async function pullAsGateway(
  relocated: Relocated,
  site: Site,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<readonly Finding[]> {
  const plugins = relocated.mapped.flatMap(({ item, targets: [target] }) =>
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
  const layout = pluginLayout(manifest, mediaType);
  return layout.shape === "unloadable" ? layout.why : undefined;
}

/** Plugins of an earlier life that would keep the new gateway closed are settled before its first rollout. */
export async function settle(
  relocated: Relocated,
  site: Site,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<Leftovers> {
  const target = pluginTarget(relocated);
  return settleLeftovers(
    {
      namespace: site.cluster.namespace,
      isInside: (url) => isInside(url, relocated, site),
      targetOf: (url) => target(url)?.url,
      pullSecret: relocated.target.pullSecret,
      signal: options.signal,
    },
    ports.cluster,
  );
}

/** Does a gateway get at this URL from here? */
export function isInside(url: string, { prefix }: Relocated, site: Site): boolean {
  if (url.startsWith("file://") || url.replace(/^oci:\/\//, "").startsWith(`${prefix}/`)) return true;
  if (site.plugins.url !== undefined && url.startsWith(`${site.plugins.url.replace(/\/+$/, "")}/`)) return true;
  return /^https?:\/\/[^/]+\.svc(\.cluster\.local)?(:\d+)?\//.test(url);
}

/** What the site wants switched on: built-ins by name, then the user's own manifests with their URLs moved. */
export function wantedPlugins(
  relocated: Relocated,
  site: Site,
  ports: InstallPorts,
): { readonly plugins: readonly WasmPlugin[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const namespace = site.cluster.namespace;
  const builtIns = site.plugins.enable.flatMap((name) => {
    const item = relocated.mapped.find((mapped) => mapped.item.kind === "plugin" && mapped.item.name === name)?.item;
    const url = relocated.target.plugins.get(name);
    if (item === undefined || url === undefined) {
      findings.push(finding("error", "plugin.not-carried", { plugin: name, reference: site.plugins.mode }));
      return [];
    }
    return [
      builtInPlugin({
        name,
        version: item.version ?? "1.0.0",
        namespace,
        url,
        pullSecret: relocated.target.pullSecret,
      }),
    ];
  });
  const own = ports.userPlugins.flatMap((text) => {
    const rewritten = rewriteWasmPlugins(text, {
      targetOf: pluginTarget(relocated),
      pullSecret: relocated.target.pullSecret,
    });
    findings.push(...rewritten.findings);
    return loadTyped(rewritten.text).filter(isWasmPlugin);
  });
  const off = new Set(site.plugins.disable);
  return {
    plugins: [...builtIns, ...own.map((plugin) => inNamespace(plugin, namespace))].filter(
      ({ metadata }) => !off.has(metadata.name),
    ),
    findings,
  };
}

function isWasmPlugin(document: unknown): document is WasmPlugin {
  return typeof document === "object" && document !== null && (document as { kind?: unknown }).kind === "WasmPlugin";
}

/** Only plugins in the controller's own namespace reach the gateway; elsewhere they are ignored in silence. */
function inNamespace(plugin: WasmPlugin, namespace: string): WasmPlugin {
  return { ...plugin, metadata: { ...plugin.metadata, namespace } };
}

/** One after another, each watched; what harms the gateway is switched off again. */
export async function switchOn(
  plugins: readonly WasmPlugin[],
  relocated: Relocated,
  site: Site,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<Enabled> {
  const trust = relocated.charts.flatMap(({ relocation }) => relocation.trust)[0];
  if (trust === undefined || plugins.length === 0) return { plugins: [], findings: [] };
  return enablePlugins(plugins, ports.cluster, {
    gateway: { namespace: site.cluster.namespace, ...trust },
    watchSeconds: site.plugins.watchSeconds,
    symptoms: ports.symptoms,
    report: options.report,
    signal: options.signal,
  });
}
