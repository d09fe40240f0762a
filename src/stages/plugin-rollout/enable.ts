import type { Report } from "../../model/event.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { fieldManager } from "../../model/kubernetes.ts";
import type { PluginRecord } from "../../model/receipt.ts";
import { symptomReader, type Symptom } from "../../model/symptom.ts";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { switchBack, type SwitchBack } from "./disable.ts";
import { canaryOf, isAlready } from "./document.ts";
import { lookAtGateway, type GatewayRef, type GatewayState, type PluginsPort, type Watch } from "./gateway.ts";
import { watchGateway, type RolloutStep, type WatchOutcome } from "./watch.ts";

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

/** How many are switched on at once: few enough that one that breaks the gateway takes few others off again. */
const groupSize = 16;

/**
 * Switches plugins on in groups, and watches the gateway for a while after each change. A group that harms it is put back
 * to what it was (other versions that worked, or off): one that the gateway blames by name is reported and left as it
 * was, the others are tried again; when it blames none, the group is halved until there is one. When the gateway does
 * not come back, nothing more is tried.
 */
export async function enablePlugins(
  plugins: readonly WasmPlugin[],
  port: PluginsPort,
  options: EnableOptions,
): Promise<readonly Finding[]> {
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
  const rollout = new Rollout(watch, options);
  for (let at = 0; at < plugins.length; at += groupSize) {
    const group = plugins.slice(at, at + groupSize);
    const name = group.map(({ metadata }) => metadata.name).join(" ");
    options.report({ type: "step", phase: "plugins", name, done: at, items: plugins.length });
    if (!(await rollout.begin(group))) break;
  }
  return rollout.findings;
}

interface Member {
  readonly plugin: WasmPlugin;
  readonly ref: SwitchBack["ref"];
  readonly before: WasmPlugin | undefined;
  readonly record: PluginRecord;
}

class Rollout {
  readonly findings: Finding[] = [];
  readonly #watch: Watch;
  readonly #options: EnableOptions;
  /** How many plugins in a row broke the gateway when each was tried alone, and it named none of them. */
  #strikes = 0;

  constructor(watch: Watch, options: EnableOptions) {
    this.#watch = watch;
    this.#options = options;
  }

  /** @returns false when the gateway is lost */
  async begin(plugins: readonly WasmPlugin[]): Promise<boolean> {
    const members: Member[] = [];
    const { gateway, port, signal } = this.#watch;
    const { namespace } = gateway;
    const live = await port.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal });
    for (const plugin of plugins) {
      const { name } = plugin.metadata;
      const before = live.find(({ metadata }) => metadata.name === name);
      const ref = { resource: wasmPluginResource, name, namespace };
      const member = { plugin, ref, before, record: recordOf(plugin, before, namespace) };
      if (member.before !== undefined && isAlready(plugin.spec, member.before.spec)) await this.#on(member, false);
      else members.push(member);
    }
    const [first] = members;
    if (first === undefined) return true;
    // Nothing could be seen of a plugin's doing on a gateway that is down already.
    const state = await lookAtGateway(this.#watch);
    if (state.ready === 0) {
      await this.#off(first, `${gateway.name}: ready 0`);
      return false;
    }
    for (const { record } of members) await this.#options.keep(record);
    return this.#group(members, state);
  }

  /** @returns false when the gateway is lost */
  async #group(members: readonly Member[], baseline: GatewayState): Promise<boolean> {
    const outcome = await this.#try(members, baseline);
    const { trouble, blamed, unseen } = outcome;
    if (trouble === undefined) {
      this.#strikes = 0;
      for (const member of members) await this.#on(member, unseen.has(nameOf(member)));
      return true;
    }
    const isBack = await switchBack(members, baseline, this.#watch);
    const guilty = members.length === 1 ? members : members.filter((member) => blamed.has(nameOf(member)));
    const rest = members.filter((member) => !guilty.includes(member));
    if (blamed.size === 0) this.#strikes += guilty.length;
    for (const member of guilty)
      await this.#off(member, members.length === 1 ? trouble : (blamed.get(nameOf(member)) ?? trouble));
    if (isBack) return guilty.length > 0 ? this.#again(rest) : this.#halves(halvesOf(members, outcome.missing));
    for (const member of rest) await this.#off(member, trouble);
    return false;
  }

  /** @returns false when the gateway is lost */
  async #halves([one, other]: Halves): Promise<boolean> {
    const off = this.findings.length;
    if (!(await this.#again(one))) return false;
    // Where the first half was not at fault the other one is, which need not break the gateway as a whole once more.
    const parts = this.findings.length === off && other.length > 1 ? halvesOf(other) : [other];
    for (const part of parts) if (!(await this.#again(part))) return false;
    return true;
  }

  /** @returns false when the gateway is lost */
  async #again(members: readonly Member[]): Promise<boolean> {
    // Where none of them runs, halving would break the gateway twice as often as one by one.
    const parts = this.#strikes < 2 ? [members] : members.map((member) => [member]);
    for (const part of parts.filter(({ length }) => length > 0))
      if (!(await this.#group(part, await lookAtGateway(this.#watch)))) return false;
    return true;
  }

  /** First for no requests at all, then for all of them; both times under watch. */
  async #try(members: readonly Member[], baseline: GatewayState): Promise<WatchOutcome> {
    const { canary = true } = this.#options;
    const canaries = new Map(
      members.flatMap((member) => {
        // A plugin that is on already has requests that need it: it goes from one version to the other without a pause.
        const running = member.before !== undefined && isEnabled(member.before);
        const plugin = canary && !running ? canaryOf(member.plugin) : undefined;
        return plugin === undefined ? [] : [[member, plugin] as const];
      }),
    );
    const stages = [
      [...canaries].map(([{ before }, plugin]) => ({ plugin, mayStay: isOtherModuleOnly(plugin, before) })),
      members.map((member) => ({
        plugin: member.plugin,
        mayStay: !canaries.has(member) && isOtherModuleOnly(member.plugin, member.before),
      })),
    ].filter((steps) => steps.length > 0);
    let outcome: WatchOutcome = { blamed: new Map(), missing: new Set(), unseen: new Set() };
    for (const [at, steps] of stages.entries()) {
      outcome = await this.#step(steps, at === 0 ? baseline : undefined);
      if (outcome.trouble !== undefined) break;
    }
    return outcome;
  }

  async #step(steps: readonly RolloutStep[], state: GatewayState | undefined): Promise<WatchOutcome> {
    const { gateway, port, signal } = this.#watch;
    const before = state ?? (await lookAtGateway(this.#watch));
    const plugins = steps.map(({ plugin }) => plugin);
    await port.apply(plugins, { fieldManager, force: true, namespace: gateway.namespace, signal });
    return watchGateway(steps, before, this.#watch);
  }

  async #on({ record, plugin }: Member, unseen: boolean): Promise<void> {
    const facts = { plugin: plugin.metadata.name };
    await this.#options.keep(record);
    this.#options.report({ type: "note", text: "plugin-on", facts });
    if (unseen)
      this.findings.push(finding("warning", "plugin.unseen", { ...facts, namespace: this.#watch.gateway.namespace }));
  }

  async #off({ record, plugin }: Member, why: string): Promise<void> {
    const facts = { plugin: plugin.metadata.name };
    await this.#options.keep({ ...record, state: "off" });
    this.#options.report({ type: "note", text: "plugin-off", facts });
    this.findings.push(finding("error", "plugin.switched-off", { ...facts, why }));
  }
}

type Halves = readonly [readonly Member[], readonly Member[]];

/** Parts plugins that did not arrive from those that did; where all or none arrived, a group is cut in the middle. */
function halvesOf(members: readonly Member[], missing: ReadonlySet<string> = new Set()): Halves {
  const late = members.filter((member) => missing.has(nameOf(member)));
  if (late.length > 0 && late.length < members.length)
    return [members.filter((member) => !late.includes(member)), late];
  const middle = Math.ceil(members.length / 2);
  return [members.slice(0, middle), members.slice(middle)];
}

/** Of all that the gateway is sent, at most the module differs: whatever else does, it has to take. */
function isOtherModuleOnly({ spec }: WasmPlugin, before: WasmPlugin | undefined): boolean {
  return before !== undefined && isAlready(sentOf(spec), sentOf(before.spec));
}

/** With what holds where nothing is said; what only one of them says is somebody else's, and stays. */
function sentOf(spec: WasmPlugin["spec"] = {}): object {
  const { defaultConfig, matchRules, pluginConfig, defaultConfigDisable = false, failStrategy = "FAIL_CLOSE" } = spec;
  const configs = Object.entries({ defaultConfig, matchRules, pluginConfig }).filter(([, has]) => has !== undefined);
  return { ...Object.fromEntries(configs), defaultConfigDisable, failStrategy };
}

/** As the gateway calls it. */
const nameOf = ({ ref }: Member): string => `${ref.namespace}.${ref.name}`;

function recordOf({ metadata, spec }: WasmPlugin, before: WasmPlugin | undefined, namespace: string): PluginRecord {
  const had = before?.spec?.url;
  const record = { namespace, name: metadata.name, url: spec?.url ?? "", state: "on" } as const;
  return had === undefined ? record : { ...record, before: had };
}
