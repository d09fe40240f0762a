import { fieldManager, type KubeRef } from "../../model/kubernetes.ts";
import { isEnabled, switchOff, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { lookAtGateway, type GatewayState } from "./gateway.ts";
import type { Watch } from "./watch.ts";

export interface SwitchBack {
  readonly ref: KubeRef & { readonly namespace: string };
  /** The plugin as it was; a version that worked is better than none: it may be what asks for passwords. */
  readonly before: WasmPlugin | undefined;
  readonly baseline: GatewayState;
}

/** Puts the plugin back, and the gateway with it. @returns false when the gateway did not come back */
export async function switchBack({ ref, before, baseline }: SwitchBack, watch: Watch): Promise<boolean> {
  const { port, signal } = watch;
  if (before !== undefined && isEnabled(before)) {
    const { apiVersion, kind, spec } = before;
    const metadata = { name: ref.name, namespace: ref.namespace };
    await port.apply([{ apiVersion, kind, metadata, spec }], { fieldManager, force: true, signal });
    if (await recovered(baseline, watch)) return true;
  }
  await turnOff(ref, watch);
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

async function recovered(baseline: GatewayState, watch: Watch): Promise<boolean> {
  const { port, gateway, clock, signal } = watch;
  const end = clock.now() + watch.recoverSeconds * 1000;
  const restarted = new Set<string>();
  for (;;) {
    const now = await lookAtGateway(gateway, port, signal);
    if (now.ready >= baseline.ready) return true;
    // A crashed container waits up to five minutes for its next try; a new pod starts at once.
    for (const { pod, class: of } of now.troubles) {
      if ((of !== "crash" && of !== "out-of-memory") || restarted.has(pod)) continue;
      restarted.add(pod);
      await port.delete({ resource: "pods", name: pod, namespace: gateway.namespace }, signal);
    }
    if (clock.now() >= end) return false;
    await clock.sleep(watch.pollSeconds * 1000, signal);
  }
}
