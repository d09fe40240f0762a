import { Failure } from "../../model/failure.ts";
import { fieldManager } from "../../model/kubernetes.ts";
import { switchOff, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";
import type { Context } from "../context.ts";
import { texts, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTools } from "../wire/install-ports.ts";
import { openSite } from "../wire/site-session.ts";

const nameLabel = "higress.io/wasm-plugin-name";

/** Switches plugins off by their own switches: the object and its configuration stay. */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const names = texts(flags, "name");
  if (names.length === 0) throw new Failure("USAGE", { what: "--name <value>" });
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  const { namespace } = site.cluster;
  const { signal } = context;
  const live = await tools.kubectl.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal });
  for (const name of names) {
    const found = live.filter(({ metadata }) => metadata.name === name || metadata.labels?.[nameLabel] === name);
    if (found.length === 0)
      throw new Failure("CONTENT_MISSING", { what: `WasmPlugin ${name}`, where: namespace }, { side: "cluster" });
    for (const plugin of found) {
      const operations = switchOff(plugin)?.apply ?? [];
      const ref = { resource: wasmPluginResource, name: plugin.metadata.name, namespace };
      if (operations.length > 0) await tools.kubectl.patch(ref, operations, { fieldManager, signal });
      context.reporter.report({ type: "note", text: "plugin-off", facts: { plugin: plugin.metadata.name } });
    }
  }
  return ExitCode.done;
}
