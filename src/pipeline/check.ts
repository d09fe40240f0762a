import type { Deployment } from "kubernetes-types/apps/v1.js";
import { finding, type Finding } from "../model/finding.ts";
import { carriedRelease } from "../model/gateway.ts";
import { isManifest } from "../model/media-type.ts";
import type { Bundle } from "../content/open-bundle.ts";
import { checkCluster } from "../stages/check/check.ts";
import { consoleUrls } from "./console-urls.ts";
import type { HelmPort } from "../model/helm.ts";
import type { InstallInput, InstallPorts } from "./install-ports.ts";
import { proveRelease } from "./prove.ts";
import { insideOf } from "./wanted-plugins.ts";

export interface CheckPorts extends Pick<InstallPorts, "urlAsker"> {
  readonly helm: Pick<HelmPort, "metadata" | "getManifest" | "getHooks">;
  readonly cluster: Pick<InstallPorts["cluster"], "list">;
}

/**
 * Everything live: images and their digests, plugins, what helm has stored (by the same proof as before), and every URL
 * that console and controller can write, so that what users click later works too.
 */
export async function checkLive(
  { bundle, site, plan }: InstallInput,
  ports: CheckPorts,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const stored: string[] = [];
  const others: Finding[] = [];
  for (const { release, namespace, name, version } of plan.charts) {
    const runs = await ports.helm.metadata(release, namespace, { signal });
    if (runs === undefined) continue;
    if (runs.version !== version) {
      const facts = { release, runs: `${runs.chart} ${runs.version}`, bundle: `${name} ${version}` };
      others.push(finding("warning", "cluster.release-other", facts));
    }
    stored.push(await ports.helm.getManifest(release, namespace, { signal }));
    stored.push(await ports.helm.getHooks(release, namespace, { signal }));
  }
  const { namespace } = site.cluster;
  await using asker = ports.urlAsker();
  const deployments = await ports.cluster.list<Deployment>({ resource: "deployments.apps", namespace, signal });
  // Neither helm nor anybody else has put it there: that nothing points outside says nothing then.
  if (stored.length === 0 && deployments.length === 0)
    return [finding("error", "cluster.release-absent", { release: site.cluster.release, namespace })];
  const { items } = bundle.document;
  const version = carriedRelease(bundle.document);
  const inside = insideOf(plan, site);
  const live = await checkCluster(
    {
      namespace,
      inside,
      carried: carriedDigests(bundle),
      release: stored.join("\n---\n"),
      prove: (manifest) => proveRelease(manifest, plan.charts, { inside, carried: plan.carried }).findings,
      // `none`: the site gets no plugins from us, so where the console's URLs lead is not ours to judge.
      urls: site.plugins.mode === "none" ? [] : consoleUrls(deployments, { version, items, mcpServer: plan.mcpServer }),
      ask: asker.ask,
      signal,
    },
    ports.cluster,
  );
  // First: much of what follows is said because of it.
  return [...others, ...live];
}

/** A container runtime shows the digest of an index, of a manifest or of a config, whichever it pulled by. */
function carriedDigests({ document }: Bundle): ReadonlySet<string> {
  const named = document.blobs.filter(
    ({ mediaType }) => isManifest(mediaType) || /config|container\.image/.test(mediaType),
  );
  return new Set(named.map(({ digest }) => digest));
}
