import type { ClusterSnapshot, SnapshotQuestion } from "../model/cluster-snapshot.ts";
import { isFailure } from "../model/failure.ts";
import type { HelmPort, ReleaseChart } from "../model/helm.ts";
import type { ClusterPort, KubeObject } from "../model/kubernetes.ts";
import { isSameRelease, type ReleaseRef } from "../model/receipt.ts";
import { typedObjects } from "../model/rendered-object.ts";
import type { Values } from "../model/values.ts";
import { wasmPluginResource } from "../model/wasm-plugin.ts";
import { isRoutingGroup, namespacesOf, routesRead, watchingOf, type Watching } from "../stages/survey/routes.ts";
import { namedHosts, nodePlatforms, runningImages, secretsNamed } from "../stages/survey/running.ts";
import { SnapshotCollector } from "../stages/survey/taken.ts";
import { changesOf, isUnreleased, unreleasedChart, versionOf } from "../stages/survey/unreleased.ts";
import { liveObjects, servedResources } from "./live-objects.ts";

export interface InspectClusterPorts {
  readonly helm: Pick<HelmPort, "metadata" | "values" | "list" | "getManifest">;
  readonly cluster: Pick<ClusterPort, "list" | "version" | "raw">;
  readonly signal: AbortSignal;
}

/** Names of the user; what is not said is looked for. */
export interface SoughtRelease {
  readonly release?: string | undefined;
  readonly namespace?: string | undefined;
}

/** The releases of Higress that fit; of several, somebody must choose. Without the right to list them, the usual names. */
export async function findReleases(
  { release, namespace }: SoughtRelease,
  { helm, signal }: InspectClusterPorts,
): Promise<readonly ReleaseRef[]> {
  const usual = { release: release ?? "higress", namespace: namespace ?? "higress-system" };
  if (release !== undefined && namespace !== undefined) return [usual];
  const all = await helm.list({ signal }).catch((error: unknown) => {
    if (!isFailure(error, "CLUSTER_FORBIDDEN")) throw error;
    return [];
  });
  const found = all
    .filter((each) => namespace === undefined || each.namespace === namespace)
    .filter((each) => (release === undefined ? isHigress(each.chart) : each.release === release))
    .map((each) => ({ release: each.release, namespace: each.namespace }));
  return found.length === 0
    ? [usual]
    : found.filter((one, at) => found.findIndex((other) => isSameRelease(one, other)) === at);
}

/** `higress-2.2.4`, and the core without the console. */
function isHigress(chart: string): boolean {
  return /^higress(-core)?-v?\d/.test(chart);
}

/** `undefined` where neither helm nor any workload tells of a Higress. Nothing is changed. */
export async function inspectCluster(
  named: ReleaseRef,
  ports: InspectClusterPorts,
): Promise<ClusterSnapshot | undefined> {
  return new Inspection(named, ports).run();
}

const workloadKinds = "deployments.apps,daemonsets.apps,statefulsets.apps";
const pluginKinds = [wasmPluginResource, "wasmplugins.extensions.istio.io"] as const;

/** One question after another: what may not be read is kept, and the rest is asked all the same. */
class Inspection {
  readonly #named: ReleaseRef;
  readonly #ports: InspectClusterPorts;
  readonly #collector = new SnapshotCollector();
  readonly #unread: { readonly what: SnapshotQuestion; readonly why: string }[] = [];

  constructor(named: ReleaseRef, ports: InspectClusterPorts) {
    this.#named = named;
    this.#ports = ports;
  }

  async run(): Promise<ClusterSnapshot | undefined> {
    const { release, namespace } = this.#named;
    const about = await this.#about();
    const workloads = await this.#list("workloads", workloadKinds);
    const configMaps = await this.#list("configuration", "configmaps");
    const loose = about === undefined ? unreleasedChart([...workloads, ...configMaps], "higress") : undefined;
    const ours = workloads.filter((workload) =>
      about === undefined && loose !== undefined ? isUnreleased(workload) : ownerOf(workload) === release,
    );
    if (about === undefined && ours.length === 0 && this.#unread.length === 0) return undefined;
    const values = await this.#values(about, loose?.values);
    const known = {
      release,
      namespace,
      by: loose?.by ?? "helm",
      chart: chartOf(about, loose?.version ?? versionOf(ours, "higress")),
      values: this.#collector.values(values),
    };
    if (about !== undefined) await this.#drift();
    const taken = await this.#taken(configMaps.filter(isSetting), watchingOf(ours, values));
    return {
      ...known,
      ...(await this.#machines()),
      images: this.#collector.images(runningImages(ours, await this.#list("pods", "pods"))),
      ...taken,
      leftOut: this.#collector.leftOut,
      unread: this.#unread,
    };
  }

  async #taken(
    settings: readonly KubeObject[],
    watching: Watching,
  ): Promise<Pick<ClusterSnapshot, "plugins" | "incompletePlugins" | "settings" | "objects" | "hosts">> {
    const { release, namespace } = this.#named;
    const plugins = (await Promise.all(pluginKinds.map((resource) => this.#list("plugins", resource)))).flat();
    const routes = routesRead(await this.#routing(), { namespace, watching });
    const all = [...settings, ...routes.taken];
    const takenPlugins = this.#collector.plugins(plugins);
    const taken = this.#collector.objects(all, (object) => ownerOf(object) === release);
    for (const needed of namespacesOf(taken.objects, namespace)) this.#collector.leave("namespace", needed);
    this.#collector.leftOut.push(...routes.leftOut, ...secretsNamed([...plugins, ...all]));
    return { ...takenPlugins, ...taken, hosts: namedHosts([...plugins, ...all]) };
  }

  async #machines(): Promise<Pick<ClusterSnapshot, "kubeVersion" | "platforms">> {
    const { cluster, signal } = this.#ports;
    const version = await this.#ask("nodes", () => cluster.version(signal), undefined);
    const platforms = nodePlatforms(await this.#list("nodes", "nodes", true));
    if (version === undefined) return { platforms };
    return { kubeVersion: /\d+\.\d+(?:\.\d+)?/.exec(version.server)?.[0], platforms };
  }

  async #about(): Promise<ReleaseChart | undefined> {
    const { release, namespace } = this.#named;
    const { helm, signal } = this.#ports;
    const about = await this.#ask("release", () => helm.metadata(release, namespace, { signal }), undefined);
    if (about !== undefined && about.status !== "deployed")
      this.#collector.leave("revision-undeployed", `${release} #${about.revision} ${about.status}`);
    return about;
  }

  async #values(about: ReleaseChart | undefined, loose: Values | undefined): Promise<Values> {
    const { release, namespace } = this.#named;
    const { helm, signal } = this.#ports;
    const ask = () => helm.values(release, namespace, { signal });
    const values = about === undefined ? loose : await this.#ask("release", ask, undefined);
    if (values === undefined) this.#collector.leave("values-unknown", `${namespace}/${release}`);
    return values ?? {};
  }

  /** What people changed by hand is in no value, and so in no bundle. Settings are taken as they stand. */
  async #drift(): Promise<void> {
    const { release, namespace } = this.#named;
    const { helm, cluster, signal } = this.#ports;
    const stored = await this.#ask("release", () => helm.getManifest(release, namespace, { signal }), "");
    const documents = typedObjects(stored, release).filter((document) => !isSetting(document));
    const live = await this.#ask("workloads", () => liveObjects(documents, namespace, { cluster, signal }), []);
    for (const { object, path, written, live: now } of documents.flatMap((each) => changesOf(each, live, namespace)))
      this.#collector.leave("changed-by-hand", `${object} ${path}: ${written} → ${now}`);
  }

  /** Ingresses, and all kinds that the cluster has of the groups that routes are made of. */
  async #routing(): Promise<readonly KubeObject[]> {
    const { cluster, signal } = this.#ports;
    const served = await this.#ask("configuration", () => servedResources(isRoutingGroup, cluster, signal), []);
    const kinds = served.filter((resource) => !resource.startsWith("wasmplugins."));
    const all = ["ingresses.networking.k8s.io", ...kinds];
    // Mostly they may all be read, and one question is enough.
    const answer = cluster.list<KubeObject>({ resource: all.join(","), allNamespaces: true, signal });
    const found = await answer.catch((error: unknown) => {
      if (!isFailure(error, "CLUSTER_FORBIDDEN", "KUBECTL_FAILED")) throw error;
      return undefined;
    });
    if (found !== undefined) return found;
    const each: KubeObject[] = [];
    for (const resource of all) each.push(...(await this.#everywhere(resource)));
    return each;
  }

  /** Of all namespaces; who may not list those has at least what is in the release's own. */
  async #everywhere(resource: string): Promise<readonly KubeObject[]> {
    const { cluster, signal } = this.#ports;
    const ask = () => cluster.list<KubeObject>({ resource, allNamespaces: true, signal });
    return (await this.#ask("configuration", ask, undefined)) ?? this.#list("configuration", resource);
  }

  #list(what: SnapshotQuestion, resource: string, everywhere = false): Promise<readonly KubeObject[]> {
    const { namespace } = this.#named;
    const { cluster, signal } = this.#ports;
    const scope = everywhere ? { allNamespaces: true } : { namespace };
    return this.#ask(what, () => cluster.list<KubeObject>({ resource, ...scope, signal }), []);
  }

  async #ask<T, O>(what: SnapshotQuestion, question: () => Promise<T>, otherwise: O): Promise<T | O> {
    try {
      return await question();
    } catch (error) {
      // Of somebody else's kind the server may have no answer, for want of its webhook: no reason to take nothing.
      const isLost = what === "configuration" && isFailure(error, "KUBECTL_FAILED");
      if (!isLost && !isFailure(error, "CLUSTER_FORBIDDEN")) throw error;
      const why = error.facts.output;
      if (!this.#unread.some((one) => one.what === what && one.why === why)) this.#unread.push({ what, why });
      return otherwise;
    }
  }
}

/** By Helm's own mark. */
function ownerOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.["meta.helm.sh/release-name"];
}

function chartOf(about: ReleaseChart | undefined, version: string): ClusterSnapshot["chart"] {
  return about === undefined
    ? { name: "higress", version }
    : { name: about.chart, version: about.version, revision: about.revision };
}

/** ConfigMaps that people and the console write to. */
function isSetting({ kind, metadata: { name, labels = {} } }: KubeObject): boolean {
  return (
    kind === "ConfigMap" &&
    (/^higress-(config|console|https)$/.test(name) || Object.keys(labels).some((key) => key.startsWith("higress.io/")))
  );
}
