import { isEnabled, type WasmPlugin } from "../../src/model/wasm-plugin.ts";
import type { Behaviour } from "./kubelet/behaviour.ts";
import { namespace, type FarSide } from "./far-side.ts";

/** What a gateway does while plugins like this one are switched on. */
export function gatewayPlays(far: FarSide, wanted: (plugin: WasmPlugin) => boolean, behaviour: Behaviour) {
  return far.kubelet.script({ namespace, container: "higress-gateway" }, async () =>
    (await wasmPlugins(far)).some((plugin) => isEnabled(plugin) && wanted(plugin)) ? behaviour : undefined,
  );
}

/** The WasmPlugins of the release's namespace as they are now; none while the kind is not known. */
export async function wasmPlugins({ cluster }: FarSide): Promise<readonly WasmPlugin[]> {
  const path = `/apis/extensions.higress.io/v1alpha1/namespaces/${namespace}/wasmplugins`;
  const list = (await cluster.api.get(path).catch(() => ({ items: [] }))) as { items: readonly WasmPlugin[] };
  return list.items;
}
