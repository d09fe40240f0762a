import { resolve } from "node:path";
import type { Site } from "../../model/site.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import type { InstallPlan } from "../../pipeline/install-plan.ts";
import { StatusReader } from "../../pipeline/status.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { siteReceipts, stateDirectory } from "./receipts.ts";
import { openSite, openSiteBundle } from "./site-session.ts";
import type { ClusterTools } from "./tools.ts";

/** The site, and the plan of the bundle where one was named. */
export interface LookedAt extends AsyncDisposable {
  readonly site: Site;
  readonly plan: InstallPlan | undefined;
  readonly bundle?: Bundle | undefined;
}

export async function openLook(flags: Flags, context: Context): Promise<LookedAt> {
  if (text(flags, "bundle") === undefined) {
    const { site } = await openSite(flags, context);
    return { site, plan: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  return openSiteBundle(flags, context);
}

export function statusReader(
  { site, plan }: Pick<LookedAt, "site" | "plan">,
  { helm, kubectl }: ClusterTools,
  { cwd, signal }: Context,
): StatusReader {
  const { namespace, release } = site.cluster;
  const receipts = siteReceipts(site, kubectl, signal);
  return new StatusReader(
    { namespace, release, folder: resolve(cwd, stateDirectory(site)), plan, signal },
    { helm, cluster: kubectl, receipts: () => receipts.ofRelease() },
  );
}
