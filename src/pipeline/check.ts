import type { Finding } from "../model/finding.ts";
import { isManifest } from "../model/media-type.ts";
import type { Site } from "../model/site.ts";
import type { Bundle } from "../stages/bundle/open.ts";
import { checkCluster } from "../stages/check/check.ts";
import { prove } from "../stages/prove/prove.ts";
import type { HelmPort, InstallPorts } from "./install-ports.ts";
import { siteHosts } from "./prove.ts";
import type { Relocated } from "./relocated.ts";

/** Everything live: images and their digests, plugins, and what helm has stored, by the same proof as before. */
export async function checkLive(
  bundle: Bundle,
  site: Site,
  relocated: Relocated,
  ports: { readonly helm: HelmPort; readonly cluster: Pick<InstallPorts["cluster"], "list"> },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const stored: string[] = [];
  for (const { release, namespace } of relocated.charts) {
    if ((await ports.helm.status(release, namespace, { signal })) === undefined) continue;
    stored.push(await ports.helm.getManifest(release, namespace, { signal }));
    stored.push(await ports.helm.getHooks(release, namespace, { signal }));
  }
  const allowed = { allowedPrefixes: [relocated.prefix], allowedHosts: siteHosts(site), carried: relocated.carried };
  return checkCluster(
    {
      namespace: site.cluster.namespace,
      inside: [site.registry.host, ...siteHosts(site)],
      carried: carriedDigests(bundle),
      release: stored.join("\n---\n"),
      prove: (manifest) => prove(manifest, allowed).findings,
      signal,
    },
    ports.cluster,
  );
}

/** A container runtime shows the digest of an index, of a manifest or of a config, whichever it pulled by. */
function carriedDigests({ document }: Bundle): ReadonlySet<string> {
  const named = document.blobs.filter(
    ({ mediaType }) => isManifest(mediaType) || /config|container\.image/.test(mediaType),
  );
  return new Set(named.map(({ digest }) => digest));
}
