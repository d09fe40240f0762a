import type { ClusterSnapshot, LeftOut, LeftOutReason, SnapshotQuestion } from "../model/cluster-snapshot.ts";
import { isFailure } from "../model/failure.ts";
import type { HelmPort, ReleaseChart } from "../model/helm.ts";
import { isFetchedInside } from "../model/inside.ts";
import type { ClusterPort, KubeObject } from "../model/kubernetes.ts";
import { isSameRelease, type ReleaseRef } from "../model/receipt.ts";
import { ociReference } from "../model/reference.ts";
import { mapAt, textAt, whereOf } from "../model/rendered-object.ts";
import type { Values } from "../model/values.ts";
import { wasmPluginResource } from "../model/wasm-plugin.ts";
import { namedHosts, nodePlatforms, runningImages, secretsNamed } from "../stages/survey/running.ts";
import { withoutSecrets } from "../stages/survey/secrets.ts";
import { asWritten, isUnreleased, unreleasedChart, versionOf } from "../stages/survey/unreleased.ts";

export interface InspectClusterPorts {
  readonly helm: Pick<HelmPort, "metadata" | "values" | "list">;
  readonly cluster: Pick<ClusterPort, "list" | "version">;
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
/** What the console and its users make besides: only the controller's own namespace counts, but Ingresses may be anywhere. */
const configurationKinds = [
  "configmaps",
  "mcpbridges.networking.higress.io",
  "http2rpcs.networking.higress.io",
] as const;

/** One question after another: what may not be read is kept, and the rest is asked all the same. */
class Inspection {
  readonly #named: ReleaseRef;
  readonly #ports: InspectClusterPorts;
  readonly #leftOut: LeftOut[] = [];
  readonly #unread: { readonly what: SnapshotQuestion; readonly why: string }[] = [];

  constructor(named: ReleaseRef, ports: InspectClusterPorts) {
    this.#named = named;
    this.#ports = ports;
  }

  async run(): Promise<ClusterSnapshot | undefined> {
    const { release, namespace } = this.#named;
    const { cluster, signal } = this.#ports;
    const about = await this.#about();
    const workloads = await this.#list("workloads", workloadKinds);
    const configuration = (
      await Promise.all(configurationKinds.map((resource) => this.#list("configuration", resource)))
    ).flat();
    const loose = about === undefined ? unreleasedChart([...workloads, ...configuration], "higress") : undefined;
    const ours = workloads.filter((workload) =>
      about === undefined && loose !== undefined ? isUnreleased(workload) : ownerOf(workload) === release,
    );
    if (about === undefined && ours.length === 0 && this.#unread.length === 0) return undefined;
    const version = await this.#ask("nodes", () => cluster.version(signal), undefined);
    const plugins = (await Promise.all(pluginKinds.map((resource) => this.#list("plugins", resource)))).flat();
    const routes = await this.#routes();
    const objects = [...configuration.filter(isSetting), ...routes];
    const taken = this.#plugins(plugins);
    return {
      release,
      namespace,
      by: loose?.by ?? "helm",
      chart: chartOf(about, loose?.version ?? versionOf(ours, "higress")),
      values: this.#safeValues(await this.#values(about, loose?.values)),
      ...(version === undefined ? {} : { kubeVersion: /\d+\.\d+(?:\.\d+)?/.exec(version.server)?.[0] }),
      platforms: nodePlatforms(await this.#list("nodes", "nodes", true)),
      images: this.#images(runningImages(ours, await this.#list("pods", "pods"))),
      ...taken,
      ...this.#objects(objects),
      hosts: namedHosts([...plugins, ...objects]),
      leftOut: [...this.#leftOut, ...secretsNamed([...plugins, ...objects])],
      unread: this.#unread,
    };
  }

  async #about(): Promise<ReleaseChart | undefined> {
    const { release, namespace } = this.#named;
    const { helm, signal } = this.#ports;
    const about = await this.#ask("release", () => helm.metadata(release, namespace, { signal }), undefined);
    if (about !== undefined && about.status !== "deployed")
      this.#leave("revision-undeployed", `${release} #${about.revision} ${about.status}`);
    return about;
  }

  async #values(about: ReleaseChart | undefined, loose: Values | undefined): Promise<Values> {
    const { release, namespace } = this.#named;
    const { helm, signal } = this.#ports;
    const ask = () => helm.values(release, namespace, { signal });
    const values = about === undefined ? loose : await this.#ask("release", ask, undefined);
    if (values === undefined) this.#leave("values-unknown", `${namespace}/${release}`);
    return values ?? {};
  }

  #safeValues(values: Values): Values {
    const { kept, left } = withoutSecrets(values);
    for (const path of left) this.#leave("secret", `values ${path}`);
    return kept;
  }

  /** As it was written, less its secrets. */
  #safe(object: KubeObject): { readonly kept: KubeObject; readonly whole: boolean } {
    const { apiVersion, kind, metadata, ...rest } = asWritten(object);
    const { labels, annotations, ...identity } = metadata;
    const { kept, left } = withoutSecrets({ metadata: { labels, annotations }, ...rest });
    for (const path of left) this.#leave("secret", `${whereOf(object)} ${path}`);
    const { metadata: marks, ...body } = kept as typeof kept & { readonly metadata?: object };
    return { kept: { apiVersion, kind, metadata: { ...identity, ...marks }, ...body }, whole: left.length === 0 };
  }

  /** Only those whose module can be carried, or stays where it is. */
  #plugins(all: readonly KubeObject[]): Pick<ClusterSnapshot, "plugins" | "incompletePlugins"> {
    const plugins: KubeObject[] = [];
    const incompletePlugins: KubeObject[] = [];
    for (const plugin of all) {
      const url = textAt(mapAt(plugin, "spec"), "url") ?? "";
      if (ociReference(url) === undefined && !isFetchedInside(url, { prefixes: [] })) {
        this.#leave("plugin-unreachable", `${whereOf(plugin)} ${withoutLogin(url)}`);
        continue;
      }
      const { kept, whole } = this.#safe(plugin);
      if (!whole) this.#leave("plugin-incomplete", whereOf(plugin));
      (whole ? plugins : incompletePlugins).push(kept);
    }
    return { plugins, incompletePlugins };
  }

  #objects(all: readonly KubeObject[]): Pick<ClusterSnapshot, "settings" | "objects"> {
    const safe = all.map((object) => ({ ...this.#safe(object), isHelms: ownerOf(object) !== undefined }));
    const settings = safe.filter(({ whole, isHelms }) => whole && isHelms);
    const objects = safe.filter((one) => !settings.includes(one));
    return { settings: settings.map(({ kept }) => kept), objects: objects.map(({ kept }) => kept) };
  }

  #images(images: ClusterSnapshot["images"]): ClusterSnapshot["images"] {
    for (const { reference, digests } of images) {
      if (digests.length === 0) this.#leave("image-undigested", reference);
      if (digests.length > 1) this.#leave("image-moved", `${reference}: ${digests.join(", ")}`);
    }
    return images;
  }

  /** Of all namespaces; who may not list those has at least the console's, which are in its own. */
  async #routes(): Promise<readonly KubeObject[]> {
    const resource = "ingresses.networking.k8s.io";
    const { cluster, signal } = this.#ports;
    const ask = () => cluster.list<KubeObject>({ resource, allNamespaces: true, signal });
    return (await this.#ask("configuration", ask, undefined)) ?? this.#list("configuration", resource);
  }

  #leave(reason: LeftOutReason, where: string): void {
    this.#leftOut.push({ reason, where });
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
      if (!isFailure(error, "CLUSTER_FORBIDDEN")) throw error;
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

/** ConfigMaps that people and the console write to; of Ingresses, registries and routes all. */
function isSetting({ kind, metadata: { name, labels = {} } }: KubeObject): boolean {
  if (kind !== "ConfigMap") return true;
  return (
    /^higress-(config|console|https)$/.test(name) || Object.keys(labels).some((key) => key.startsWith("higress.io/"))
  );
}

/** A login, and parameters, by which object storage is signed for. */
function withoutLogin(url: string): string {
  return url
    .replace(/:\/\/[^/]*@/, "://***@")
    .replace(/[?#][^]*$/, "?***")
    .slice(0, 500);
}
