import { Failure } from "../../model/failure.ts";
import { disablePlugins } from "../../stages/plugin-rollout/disable.ts";
import type { Context } from "../context.ts";
import { texts, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTools } from "../wire/tools.ts";
import { openSite } from "../wire/site-session.ts";

/** Switches plugins off by their own switches: the object and its configuration stay. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const names = texts(flags, "name");
  if (names.length === 0)
    throw new Failure("USAGE", { what: "--name", wrong: "plugin-needed", wanted: "plugins list --site site.yaml" });
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  await disablePlugins(names, tools.kubectl, {
    namespace: site.cluster.namespace,
    signal: context.signal,
    off: (plugin) => context.reporter.report({ type: "note", text: "plugin-off", facts: { plugin } }),
  });
  return ExitCode.done;
}
