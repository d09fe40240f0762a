import type { Finding } from "../../model/finding.ts";
import { typedObjects } from "../../model/rendered-object.ts";
import { isInside } from "../../pipeline/wanted-plugins.ts";
import { specCrds } from "../../pipeline/export.ts";
import { renderAll } from "../../pipeline/prove.ts";
import type { PreflightContext } from "../../pipeline/install-ports.ts";
import { preflightCluster } from "../../stages/preflight-cluster/preflight.ts";
import type { Context } from "../context.ts";
import { chartCrds, withFile, type ClusterTools } from "./install-ports.ts";

/** All that can be asked of the cluster before anything is changed, about the very objects that would be applied. */
export async function clusterFindings(
  { bundle, site, plan }: PreflightContext,
  tools: ClusterTools,
  context: Context,
): Promise<readonly Finding[]> {
  const { signal } = context;
  const { namespace, release } = site.cluster;
  const ports = { helm: tools.helm, withFile, chartCrds };
  const rendered = await renderAll(plan, bundle, ports, { offline: bundle.document.kubeVersion, signal });
  const status = await tools.helm.status(release, namespace, { signal }).catch(() => undefined);
  const plugins = bundle.document.items.filter(
    ({ kind, name }) => kind === "plugin" && site.plugins.enable.includes(name),
  );
  return preflightCluster(
    {
      namespace,
      release,
      render: rendered.flatMap(({ chart, manifest }) => typedObjects(manifest, chart.name)),
      crds: [...rendered.flatMap(({ crds }) => crds), ...(await specCrds(bundle))].flatMap((crd) =>
        typedObjects(crd, "crds"),
      ),
      platforms: bundle.document.platforms,
      plugins: plugins.map(({ name, bytes }) => ({ name, bytes })),
      isInside: (url) => isInside(url, plan, site),
      signal,
      ...(status === undefined ? {} : { releaseStatus: status.status }),
    },
    tools.kubectl,
  );
}
