import { Failure } from "../../model/failure.ts";
import { fieldManager, type KubeRef } from "../../model/kubernetes.ts";
import { isEnabled, pluginLabels, switchOff, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { abridged } from "../../std/abridged.ts";
import { type Watch, lookAtGateway, type GatewayState, type PluginsPort } from "./gateway.ts";

export interface DisableOptions {
  readonly namespace: string;
  readonly signal?: AbortSignal | undefined;
  /** Told of each plugin that is off now. */
  readonly off: (name: string) => void;
}

/**
 * Switches plugins off by their own switches: the object and its configuration stay. A name means the object, or every
 * object of that built-in.
 * @throws Failure PLUGIN_ABSENT for names that nothing has, before any is switched off; CLUSTER_CONFLICT for a plugin that
 *   is still on
 */
export async function disablePlugins(
  names: readonly string[],
  port: Pick<PluginsPort, "list" | "patch">,
  { namespace, signal, off }: DisableOptions,
): Promise<void> {
  const live = await port.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal });
  const isNamed = ({ metadata }: WasmPlugin, name: string): boolean =>
    metadata.name === name || metadata.labels?.[pluginLabels.name] === name;
  const absent = names.filter((name) => !live.some((plugin) => isNamed(plugin, name)));
  if (absent.length > 0) {
    const there = new Set(live.map(({ metadata }) => metadata.labels?.[pluginLabels.name] ?? metadata.name));
    const listed = there.size === 0 ? "-" : abridged([...there]);
    throw new Failure("PLUGIN_ABSENT", { plugins: absent.join(", "), namespace, there: listed });
  }
  for (const plugin of live.filter((each) => names.some((name) => isNamed(each, name)))) {
    await disable(plugin, port, { namespace, signal });
    off(plugin.metadata.name);
  }
}

async function disable(
  plugin: WasmPlugin,
  port: Pick<PluginsPort, "patch">,
  { namespace, signal }: Pick<DisableOptions, "namespace" | "signal">,
): Promise<void> {
  const { name } = plugin.metadata;
  const stillOn = (output: string): Failure => new Failure("CLUSTER_CONFLICT", { what: `WasmPlugin ${name}`, output });
  const pair = switchOff(plugin);
  // `pluginConfig` is active whatever the switches say. To stop it, it would have to become `defaultConfig`, and the plugin
  // has one of those already.
  if (pair === undefined) throw stillOn("spec.pluginConfig, spec.defaultConfig");
  if (pair.apply.length === 0) return;
  const ref = { resource: wasmPluginResource, name, namespace };
  if (!(await port.patch(ref, pair.apply, { fieldManager, signal }))) throw stillOn("spec");
}

export interface SwitchBack {
  readonly ref: KubeRef & { readonly namespace: string };
  /** The plugin as it was; a version that worked is better than none: it may be what asks for passwords. */
  readonly before: WasmPlugin | undefined;
}

/** Puts plugins back, and the gateway with them. @returns false when the gateway did not come back */
export async function switchBack(
  plugins: readonly SwitchBack[],
  baseline: GatewayState,
  watch: Watch,
): Promise<boolean> {
  const { port, signal } = watch;
  const restored: SwitchBack[] = [];
  for (const each of plugins.toReversed()) {
    const { ref, before } = each;
    if (before === undefined || !isEnabled(before)) {
      await turnOff(ref, watch);
      continue;
    }
    const { apiVersion, kind, spec } = before;
    const metadata = { name: ref.name, namespace: ref.namespace };
    await port.apply([{ apiVersion, kind, metadata, spec }], { fieldManager, force: true, signal });
    restored.push(each);
  }
  if (await recovered(baseline, watch)) return true;
  if (restored.length === 0) return false;
  for (const { ref } of restored) await turnOff(ref, watch);
  return recovered(baseline, watch);
}

/** Deleting is the last resort for a plugin that its own switches do not stop. */
async function turnOff(ref: KubeRef, { port, signal }: Watch): Promise<void> {
  const live = await port.get<WasmPlugin>(ref, signal);
  if (live === undefined) return;
  const pair = switchOff(live);
  const off =
    pair !== undefined && (pair.apply.length === 0 || (await port.patch(ref, pair.apply, { fieldManager, signal })));
  if (!off) await port.delete(ref, signal);
}

/**
 * A proxy that hangs in a plugin never looks at what it is sent. No probe of the chart restarts it, and it may stay ready:
 * its workers go on with what they had, while its main thread never answers again.
 */
const stuckSeconds = 30;

/** A pod that never ran, for want of a node or a port, has never answered; it is not the plugin's doing. */
function mute(baseline: GatewayState, now: GatewayState): readonly string[] {
  const answered = [...baseline.delivered.values()].some((has) => has !== undefined);
  const isNew = (pod: string): boolean => !baseline.pods.includes(pod) && !now.unready.includes(pod);
  const expected = answered ? now.pods.filter((pod) => baseline.delivered.get(pod) !== undefined || isNew(pod)) : [];
  return expected.filter((pod) => now.delivered.get(pod) === undefined);
}

async function recovered(baseline: GatewayState, watch: Watch): Promise<boolean> {
  const { port, gateway, clock, signal } = watch;
  const start = clock.now();
  const restarted = new Set<string>();
  let now = baseline;
  for (;;) {
    now = await lookAtGateway(watch, now);
    const silent = mute(baseline, now);
    if (now.ready >= baseline.ready && silent.length === 0) return true;
    // A crashed container waits up to five minutes for its next try; a new pod starts at once.
    const crashed = now.troubles.filter(({ class: of }) => of === "crash" || of === "out-of-memory");
    const stuck = clock.now() >= start + stuckSeconds * 1000 ? [...now.unready, ...silent] : [];
    for (const pod of new Set([...crashed.map((each) => each.pod), ...stuck])) {
      if (restarted.has(pod)) continue;
      restarted.add(pod);
      await port.delete({ resource: "pods", name: pod, namespace: gateway.namespace }, signal);
    }
    if (clock.now() >= start + watch.recoverSeconds * 1000) return false;
    await clock.sleep(watch.pollSeconds * 1000, signal);
  }
}
