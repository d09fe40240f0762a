import { readFileSync } from "node:fs";
import type { Event } from "../../../src/model/event.ts";
import type { ExecQuery, ExecResult, KubeQuery, LogQuery } from "../../../src/model/kubernetes.ts";
import type { PluginRecord } from "../../../src/model/receipt.ts";
import { SymptomTable } from "../../../src/model/symptom.ts";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../../../src/model/wasm-plugin.ts";
import { builtInPlugin } from "../../../src/stages/plugin-rollout/document.ts";
import { enablePlugins } from "../../../src/stages/plugin-rollout/enable.ts";
import { loadTyped } from "../../../src/std/yaml.ts";
import { anEcdsDump } from "./ecds-dump.ts";
import { aHeldClock } from "../held-clock.ts";
import { MemoryCluster } from "../memory-cluster.ts";
import { aDeployment, aPod, type PodShape } from "../pods.ts";

const { symptoms } = SymptomTable.parse(loadTyped(readFileSync("manifests/higress/symptoms.yaml", "utf8"))[0]);
export const namespace = "higress-system";
export const plugin = (name: string, config: object = { a: 1 }): WasmPlugin =>
  builtInPlugin({ name, version: "1.0.0", namespace, url: `oci://harbor.test/higress/plugins/${name}:2.0.1`, config });
export const goodPod: PodShape = { name: "gateway-1" };

export interface Effects {
  /** What an enabled plugin of this name makes of the gateway's pod, its log and its metrics. */
  readonly pod?: PodShape;
  readonly log?: string;
  readonly metrics?: string;
  /** Only while real requests meet it, not as a canary. */
  readonly onlyLive?: boolean;
  /** What the gateway has of it: nothing, another filter in its place, or its configuration and no VM. */
  readonly has?: "nothing" | "stand-in" | "no VM";
}

/** A gateway that suffers what its enabled plugins do to it. */
export class SufferingGateway extends MemoryCluster {
  readonly #effects: Readonly<Record<string, Effects>>;

  constructor(effects: Readonly<Record<string, Effects>> = {}) {
    super();
    this.#effects = effects;
    this.add(aDeployment("higress-gateway"));
  }

  async effects(): Promise<readonly Effects[]> {
    const plugins = await super.list<WasmPlugin>({ resource: wasmPluginResource, namespace });
    return plugins.filter(isEnabled).flatMap(({ metadata, spec }) => {
      const canary = JSON.stringify(spec?.matchRules ?? []).includes("canary.");
      const effect = this.#effects[metadata.name.replace("-1.0.0", "")];
      return effect === undefined || (effect.onlyLive === true && canary) ? [] : [effect];
    });
  }

  override async list<T>(query: KubeQuery): Promise<readonly T[]> {
    if (query.resource !== "pods") return super.list<T>(query);
    const suffered = (await this.effects()).find(({ pod }) => pod !== undefined)?.pod;
    return [aPod({ app: "higress-gateway", ...goodPod, ...suffered })] as T[];
  }

  logs: (query: LogQuery) => Promise<string | undefined> = async () =>
    ["ready", ...(await this.effects()).flatMap(({ log }) => log ?? [])].join("\n");

  async exec({ command }: Pick<ExecQuery, "command">): Promise<ExecResult | undefined> {
    const plugins = await super.list<WasmPlugin>({ resource: wasmPluginResource, namespace });
    if (command.some((word) => word.startsWith("stats"))) {
      const loaded = plugins.filter(
        (each) => isEnabled(each) && this.#effects[each.metadata.name.replace("-1.0.0", "")]?.has === undefined,
      );
      const lines = loaded.map(({ metadata: { name } }) => `wasm.${namespace}.${name}.vm_reload: 0`);
      return { exitCode: 0, stdout: lines.join("\n"), stderr: "" };
    }
    const entries = plugins.filter(isEnabled).flatMap(({ metadata, spec }) => {
      const has = this.#effects[metadata.name.replace("-1.0.0", "")]?.has;
      const type = `type.googleapis.com/envoy.extensions.filters.http.${has === "stand-in" ? "rbac.v3.RBAC" : "wasm.v3.Wasm"}`;
      return has === "nothing" ? [] : [{ name: `${namespace}.${metadata.name}`, type, updated: JSON.stringify(spec) }];
    });
    return { exitCode: 0, stdout: anEcdsDump(entries), stderr: "" };
  }

  async raw(): Promise<string> {
    const counted = (await this.effects()).flatMap(({ metrics }) => metrics ?? []);
    return ['istio_agent_wasm_remote_fetch_count{result="success"} 3', ...counted].join("\n");
  }
}

export async function enabled(world: SufferingGateway, plugins: readonly WasmPlugin[], canary = true) {
  const events: Event[] = [];
  const clock = aHeldClock();
  const gateway = { namespace, kind: "Deployment", name: "higress-gateway", container: "main" } as const;
  const report = (event: Event): void => void events.push(event);
  const kept: string[] = [];
  const last = new Map<string, PluginRecord>();
  const keep = (record: PluginRecord): Promise<void> => {
    const name = record.name.replace("-1.0.0", "");
    kept.push(`${name} ${record.state} after ${world.changes.length}`);
    last.set(name, record);
    return Promise.resolve();
  };
  const watching = { gateway, watchSeconds: 30, symptoms, report, keep, clock, canary };
  const findings = await enablePlugins(plugins, world, watching);
  const states = Object.fromEntries([...last].map(([name, { state }]) => [name, state]));
  return { findings, plugins: [...last.values()], states, events, kept, seconds: clock.slept() / 1000 };
}

export const live = (world: SufferingGateway, name: string) =>
  world.get<WasmPlugin>({ resource: wasmPluginResource, name: `${name}-1.0.0`, namespace });
