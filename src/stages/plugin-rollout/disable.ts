import { Failure } from "../../model/failure.ts";
import { fieldManager } from "../../model/kubernetes.ts";
import { switchOff, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";
import type { PluginsPort } from "./ports.ts";

export interface DisableOptions {
  readonly namespace: string;
  readonly signal?: AbortSignal | undefined;
  /** Told of each plugin that is off now. */
  readonly off: (name: string) => void;
}

const nameLabel = "higress.io/wasm-plugin-name";

/**
 * Switches plugins off by their own switches: the object and its configuration stay. A name means the object, or every
 * object of that built-in.
 * @throws Failure CONTENT_MISSING for a name that nothing has; CLUSTER_CONFLICT for a plugin that is still on
 */
export async function disablePlugins(
  names: readonly string[],
  port: Pick<PluginsPort, "list" | "patch">,
  { namespace, signal, off }: DisableOptions,
): Promise<void> {
  const live = await port.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal });
  for (const name of names) {
    const found = live.filter(({ metadata }) => metadata.name === name || metadata.labels?.[nameLabel] === name);
    if (found.length === 0)
      throw new Failure("CONTENT_MISSING", { what: `WasmPlugin ${name}`, where: namespace }, { side: "cluster" });
    for (const plugin of found) {
      await disable(plugin, port, { namespace, signal });
      off(plugin.metadata.name);
    }
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
  // A raw configuration is active whatever the switches say, and there is no place left to put it.
  if (pair === undefined) throw stillOn("spec.pluginConfig, spec.defaultConfig");
  if (pair.apply.length === 0) return;
  const ref = { resource: wasmPluginResource, name, namespace };
  if (!(await port.patch(ref, pair.apply, { fieldManager, signal }))) throw stillOn("spec");
}
