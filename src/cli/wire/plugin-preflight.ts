import pMap from "p-map";
import type { Finding } from "../../model/finding.ts";
import type { PreflightContext } from "../../pipeline/install-ports.ts";
import { wantedPlugins, type Wanted } from "../../pipeline/wanted-plugins.ts";
import { effectiveConfig } from "../../stages/plugins/manifests.ts";
import type { Context } from "../context.ts";
import { carriedPlugins } from "./carried-plugins.ts";
import { checkCarried } from "./check-carried.ts";
import { readUserPlugins } from "./install-ports.ts";

/** A module and its worker can take half a gigabyte: two at once keep a small host alive. */
const concurrency = 2;

/** Starts what the site wants switched on with the configuration that the gateway will hand it: before the cluster sees it. */
export async function pluginFindings(asked: PreflightContext, context: Context): Promise<readonly Finding[]> {
  const wanted = wantedPlugins(asked.plan, asked.site, await readUserPlugins(asked.site));
  return [...wanted.findings, ...(await startFindings(asked.bundle, wanted, context))];
}

async function startFindings(
  bundle: PreflightContext["bundle"],
  { plugins }: Wanted,
  context: Context,
): Promise<readonly Finding[]> {
  const { signal } = context;
  const starts = plugins.flatMap(({ plugin, item }) => {
    const config = effectiveConfig(plugin);
    // Switched off, it is never loaded; from a server of the site, its module is not here.
    return item === undefined || config === undefined ? [] : [{ name: item.name, config }];
  });
  if (starts.length === 0) return [];
  const check = await checkCarried(bundle, bundle.document.version, signal);
  const carried = new Map(carriedPlugins(bundle).map((plugin) => [plugin.item.name, plugin]));
  const checked = await pMap(
    starts,
    async ({ name, config }) => {
      const plugin = carried.get(name);
      return plugin === undefined ? [] : (await check(plugin, config === "" ? [] : [config])).findings;
    },
    { concurrency, signal },
  );
  // That something could not be predicted is no news to who installs; `plugins check` tells it.
  return checked.flat().filter(({ severity }) => severity !== "note");
}
