import type { KubeObject } from "../model/kubernetes.ts";
import type { Site } from "../model/site.ts";
import { isInstalled } from "../model/rendered-object.ts";
import { planObjects } from "../stages/apply/objects.ts";
import { withHelmOwnership } from "../stages/relocate/helm-ownership.ts";
import type { Bundle } from "../content/open-bundle.ts";
import type { InstallPorts } from "./install-ports.ts";
import { partsOf, printParts } from "./manifest-parts.ts";
import { renderedNames, type ProofResult, type Rendered } from "./prove.ts";
import type { InstallPlan } from "./install-plan.ts";
import { wantedPlugins } from "./wanted-plugins.ts";

/** What an install applies, phase by phase, in its order. */
export interface ManifestExport {
  readonly namespace: readonly KubeObject[];
  readonly before: readonly KubeObject[];
  /** YAML, as the chart and the spec have it. */
  readonly crds: readonly string[];
  readonly releases: readonly Rendered[];
  readonly overlay: readonly KubeObject[];
  readonly plugins: readonly KubeObject[];
  /** What is not written down: it is made on the cluster, where its password is. */
  readonly pullSecret: string | undefined;
}

export async function exportManifests(
  { bundle, site, plan }: { readonly bundle: Bundle; readonly site: Site; readonly plan: InstallPlan },
  { rendered, proof }: { readonly rendered: readonly Rendered[]; readonly proof: ProofResult },
  ports: Pick<InstallPorts, "ca" | "userPlugins">,
): Promise<ManifestExport> {
  const { namespace } = site.cluster;
  const { pullSecret } = plan.target;
  const planned = planObjects({
    namespace,
    ca: ports.ca,
    pullSecret,
    trust: plan.charts.flatMap(({ relocation }) => relocation.trust),
    serviceAccounts: proof.accounts,
    rendered: renderedNames(rendered),
  });
  const wanted = wantedPlugins(plan, site, ports.userPlugins);
  return {
    ...planned,
    crds: [...rendered.flatMap(({ crds }) => crds), ...(await specCrds(bundle))],
    releases: rendered.map(asInstalled),
    plugins: wanted.plugins.map(({ plugin }) => plugin),
    pullSecret,
  };
}

/** Helm's marks are no part of what it renders, and yet of what it installs; what only `helm test` makes is the reverse. */
export function asInstalled(rendered: Rendered): Rendered {
  const installed = printParts(partsOf(rendered.manifest).filter(({ objects }) => objects.some(isInstalled)));
  return { ...rendered, manifest: withHelmOwnership(installed, rendered.chart) };
}

/** CRDs that the spec names, besides those of the charts. */
export async function specCrds(bundle: Bundle): Promise<readonly string[]> {
  const names = [...bundle.entries.keys()].filter((name) => name.startsWith("crds/"));
  return Promise.all(names.map(async (name) => (await bundle.readFile(name)).toString("utf8")));
}
