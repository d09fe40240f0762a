import type { Report } from "../../model/event.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { fieldManager } from "../../model/kubernetes.ts";
import type { PluginRecord } from "../../model/receipt.ts";
import { symptomReader, type Symptom } from "../../model/symptom.ts";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { switchBack } from "./disable.ts";
import { canaryOf, isAlready } from "./document.ts";
import { lookAtGateway, type GatewayRef, type PluginsPort, type Watch } from "./gateway.ts";
import { watchGateway } from "./watch.ts";

export interface EnableOptions {
  readonly gateway: GatewayRef;
  /** How long the gateway is watched after each change. */
  readonly watchSeconds: number;
  readonly symptoms: readonly Symptom[];
  readonly report: Report;
  /** Writes down what is about to be done, and then what came of it: also when we end in between it can be undone. */
  readonly keep: (record: PluginRecord) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** First load a plugin for no request at all. @default true */
  readonly canary?: boolean | undefined;
  /** How long the plugin may take to reach the gateway: a pull is given up after 30 s, and tried again. @default 90 */
  readonly deliverSeconds?: number | undefined;
  /** How long the gateway may take to come back after a plugin was switched off. @default 180 */
  readonly recoverSeconds?: number | undefined;
  readonly pollSeconds?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Switches plugins on one after another, and watches the gateway for a while after each. One that harms it is put back
 * to what it was (another version that worked, or off), reported, and the next one follows. When the gateway does not
 * come back, nothing more is tried.
 */
export async function enablePlugins(
  plugins: readonly WasmPlugin[],
  port: PluginsPort,
  options: EnableOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const watch: Watch = {
    port,
    gateway: options.gateway,
    read: symptomReader(options.symptoms),
    watchSeconds: options.watchSeconds,
    deliverSeconds: options.deliverSeconds ?? 90,
    recoverSeconds: options.recoverSeconds ?? 180,
    pollSeconds: options.pollSeconds ?? 2,
    clock: options.clock ?? systemClock,
    signal: options.signal,
  };
  for (const plugin of plugins) {
    const { record, trouble, lost, unseen = false } = await enableOne(plugin, watch, options);
    await options.keep(record);
    options.report({
      type: "note",
      text: record.state === "on" ? "plugin-on" : "plugin-off",
      facts: { plugin: plugin.metadata.name },
    });
    if (unseen && trouble === undefined)
      findings.push(
        finding("warning", "plugin.unseen", { plugin: plugin.metadata.name, namespace: watch.gateway.namespace }),
      );
    if (trouble !== undefined)
      findings.push(finding("error", "plugin.switched-off", { plugin: plugin.metadata.name, why: trouble }));
    if (lost) break;
  }
  return findings;
}

interface Outcome {
  readonly record: PluginRecord;
  readonly trouble?: string | undefined;
  readonly lost: boolean;
  readonly unseen?: boolean;
}

async function enableOne(plugin: WasmPlugin, watch: Watch, { canary = true, keep }: EnableOptions): Promise<Outcome> {
  const { port, gateway, signal } = watch;
  const { namespace } = gateway;
  const ref = { resource: wasmPluginResource, name: plugin.metadata.name, namespace };
  const before = await port.get<WasmPlugin>(ref, signal);
  const record = recordOf(plugin, before, namespace);
  if (before !== undefined && isAlready(plugin.spec, before.spec)) return { record, lost: false };
  const baseline = await lookAtGateway(gateway, port, signal);
  const off = { ...record, state: "off" } as const;
  // Nothing could be seen of a plugin's doing on a gateway that is down already.
  if (baseline.ready === 0) return { record: off, trouble: `${gateway.name}: ready 0`, lost: true };
  await keep(record);
  let unseen = false;
  let latest = baseline;
  for (const [at, step] of stepsOf(plugin, before, canary).entries()) {
    if (at > 0) latest = await lookAtGateway(gateway, port, signal);
    await port.apply([step], { fieldManager, force: true, namespace, signal });
    const mayStay = at === 0 && before !== undefined;
    const outcome = await watchGateway({ plugin: step, before: latest, mayStay }, watch);
    unseen ||= outcome.unseen;
    if (outcome.trouble === undefined) continue;
    return { record: off, trouble: outcome.trouble, lost: !(await switchBack({ ref, before, baseline }, watch)) };
  }
  return { record, lost: false, unseen };
}

/** A plugin that is on already has requests that need it: it goes from one version to the other without a pause. */
function stepsOf(plugin: WasmPlugin, before: WasmPlugin | undefined, canary: boolean): readonly WasmPlugin[] {
  const running = before !== undefined && isEnabled(before);
  const first = canary && !running ? canaryOf(plugin) : undefined;
  return first === undefined ? [plugin] : [first, plugin];
}

function recordOf({ metadata, spec }: WasmPlugin, before: WasmPlugin | undefined, namespace: string): PluginRecord {
  const had = before?.spec?.url;
  const record = { namespace, name: metadata.name, url: spec?.url ?? "", state: "on" } as const;
  return had === undefined ? record : { ...record, before: had };
}
