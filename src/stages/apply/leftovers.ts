import { fieldManager, type ObjectsPort, type PatchOperation } from "../../model/kubernetes.ts";
import { LeftoverRecord } from "../../model/receipt.ts";
import { repoint, switchOff, wasmPluginResource, type PatchPair, type WasmPlugin } from "../../model/wasm-plugin.ts";

export interface LeftoverInput {
  /** Only plugins of this namespace reach the gateway. */
  readonly namespace: string;
  /** Does the gateway get at this URL from here? */
  readonly isInside: (url: string) => boolean;
  /** Where the plugin behind this URL is on this site. */
  readonly targetOf: (url: string) => string | undefined;
  readonly pullSecret?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Leftovers {
  readonly records: readonly LeftoverRecord[];
  /** Plugins that can neither be repointed nor switched off by their own switches; the gateway would wait for them. */
  readonly stuck: readonly { readonly name: string; readonly url: string }[];
}

interface Change extends PatchPair {
  readonly did: LeftoverRecord["did"];
}

/** The very object that was looked at: a namesake that somebody made since has decisions of its own. */
const sameObject = ({ metadata }: WasmPlugin): readonly PatchOperation[] =>
  metadata.uid === undefined ? [] : [{ op: "test", path: "/metadata/uid", value: metadata.uid }];

/**
 * Plugins of an earlier life that point outside: one of them keeps every new gateway pod from opening its ports, so
 * they are repointed to what we carry, or switched off, before the first rollout. Each record holds its own undoing.
 */
export async function settleLeftovers(input: LeftoverInput, cluster: ObjectsPort): Promise<Leftovers> {
  const { namespace, signal } = input;
  const plugins = await cluster.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal });
  const records: LeftoverRecord[] = [];
  const stuck: { name: string; url: string }[] = [];
  for (const plugin of plugins) {
    const url = plugin.spec?.url;
    if (url === undefined || input.isInside(url)) continue;
    const change = changeOf(plugin, url, input);
    // Off already: nothing to do, and nothing to undo.
    if (change?.apply.length === 0) continue;
    const same = sameObject(plugin);
    const apply = change === undefined ? [] : [...same, ...change.apply];
    const record =
      change && recorded({ ...refOf(plugin, namespace), did: change.did, url, undo: [...same, ...change.undo] });
    // False: somebody changed it under our hands, so what it is now is not what was weighed here.
    if (record !== undefined && (await patched(plugin, apply, input, cluster))) records.push(record);
    else stuck.push({ name: plugin.metadata.name, url });
  }
  return { records, stuck };
}

/** `undefined`: a receipt has no room for it. What cannot be written down, could not be undone. */
function recorded(record: LeftoverRecord): LeftoverRecord | undefined {
  return LeftoverRecord.safeParse(record).success ? record : undefined;
}

function changeOf(plugin: WasmPlugin, url: string, input: LeftoverInput): Change | undefined {
  const target = input.targetOf(url);
  if (target !== undefined) return { did: "repointed", ...repoint(plugin, target, input.pullSecret) };
  const pair = switchOff(plugin);
  return pair === undefined ? undefined : { did: "disabled", ...pair };
}

function patched(
  plugin: WasmPlugin,
  operations: readonly PatchOperation[],
  { namespace, signal }: LeftoverInput,
  cluster: ObjectsPort,
): Promise<boolean> {
  return cluster.patch(refOf(plugin, namespace), operations, { fieldManager, signal });
}

function refOf({ metadata }: WasmPlugin, namespace: string): { resource: string; name: string; namespace: string } {
  return { resource: wasmPluginResource, name: metadata.name, namespace };
}
