import type { Sighting } from "../../model/symptom.ts";
import type { WasmPlugin } from "../../model/wasm-plugin.ts";
import type { Clock } from "../../std/clock.ts";
import { lookAtGateway, type GatewayRef, type GatewayState } from "./gateway.ts";
import type { PluginsPort } from "./ports.ts";
import { lostPods, worseSince } from "./verdict.ts";

/** Everything that watching a gateway takes, the same for every plugin. */
export interface Watch {
  readonly port: PluginsPort;
  readonly gateway: GatewayRef;
  readonly read: (line: string) => Sighting | undefined;
  readonly watchSeconds: number;
  readonly recoverSeconds: number;
  readonly pollSeconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** A probe may fail once; a pod that is not ready at three looks in a row is lost. */
const looks = 3;

/** @returns what became worse within `watchSeconds`, or undefined */
export async function watchGateway(
  plugin: WasmPlugin,
  before: GatewayState,
  watch: Watch,
): Promise<string | undefined> {
  const { port, gateway, read, clock, signal } = watch;
  const end = clock.now() + watch.watchSeconds * 1000;
  const about = namesOf(plugin);
  let missing = 0;
  for (;;) {
    const now = await lookAtGateway(gateway, port, signal);
    const lost = lostPods(before, now);
    missing = lost === undefined ? 0 : missing + 1;
    const trouble = worseSince(before, now, { read, about }) ?? (missing >= looks ? lost : undefined);
    if (trouble !== undefined) return trouble;
    if (clock.now() >= end && missing === 0) return undefined;
    await clock.sleep(watch.pollSeconds * 1000, signal);
  }
}

/** By these a log line is about this plugin: the object's name, and the path of its module without tag and scheme. */
function namesOf({ metadata, spec }: WasmPlugin): readonly string[] {
  const path = (spec?.url ?? "").replace(/^[a-z]{1,10}:\/\/[^/]{0,300}\//, "").replace(/[:@][^/]{0,100}$/, "");
  return [metadata.name, path].filter((text) => text !== "");
}
