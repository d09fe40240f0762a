import { parseReference, printReference, isReference } from "../../model/reference.ts";
import { isInsidePattern } from "../../model/host.ts";
import { insideBy, outsideReferences } from "../../model/inside.ts";
import { isDigest } from "../../model/digest.ts";
import { nameOf, type KubeObject } from "../../model/kubernetes.ts";
import { isMap, itemsAt, mapAt, podSpecOf, textAt, type RenderedObject } from "../../model/rendered-object.ts";
import { isWasmPlugin } from "../../model/wasm-plugin.ts";
import type { LeftOut, RunningImage } from "../../model/cluster-snapshot.ts";

/** The images of the pods that these workloads have made, with what was put into them on the way, such as sidecars. */
export function runningImages(workloads: readonly KubeObject[], pods: readonly KubeObject[]): readonly RunningImage[] {
  const selectors = workloads
    .map((workload) => Object.entries(mapAt(workload, "spec", "selector", "matchLabels")))
    .filter((selector) => selector.length > 0);
  const isOurs = ({ metadata: { labels = {} } }: KubeObject): boolean =>
    selectors.some((selector) => selector.every(([key, value]) => labels[key] === value));
  const found = new Map<string, Set<string>>();
  for (const { image, digest } of pods.filter(isOurs).flatMap(containersOf)) {
    const digests = found.get(image) ?? new Set<string>();
    found.set(image, digest === undefined ? digests : digests.add(digest));
  }
  return [...found].map(([reference, digests]) => ({ reference, digests: [...digests].sort() }));
}

/** As the pod asks for it: the status has the name that the runtime knows it by. */
function containersOf(pod: KubeObject): readonly { readonly image: string; readonly digest: string | undefined }[] {
  const statuses = [
    ...itemsAt(mapAt(pod, "status"), "initContainerStatuses"),
    ...itemsAt(mapAt(pod, "status"), "containerStatuses"),
  ];
  const spec = podSpecOf(pod)?.spec ?? {};
  return [...itemsAt(spec, "initContainers"), ...itemsAt(spec, "containers")].flatMap((container) => {
    const image = textAt(container, "image");
    if (image === undefined || !isReference(image)) return [];
    const status = statuses.find((each) => each["name"] === container["name"]);
    return [{ image: printReference(parseReference(image)), digest: digestIn(textAt(status ?? {}, "imageID") ?? "") }];
  });
}

/** Without a name before it, it is the digest of a configuration, which no registry can be asked for. */
function digestIn(imageID: string): string | undefined {
  const [, digest = ""] = imageID.split("@");
  return isDigest(digest) ? digest : undefined;
}

/** Hosts that these objects name and that are not of the cluster, as `inside:` of a site file has them. */
export function namedHosts(objects: readonly RenderedObject[]): readonly string[] {
  const urls = outsideReferences(objects.map(withoutModule), { prefixes: [] }).filter(({ what }) => what === "url");
  const hosts = [...urls.map(({ host }) => host), ...objects.flatMap(registryHosts), ...objects.flatMap(routeHosts)];
  const outside = hosts.filter((host) => isInsidePattern(host) && insideBy(host, { prefixes: [] }) === undefined);
  return [...new Set(outside.map((host) => host.toLowerCase()))].sort();
}

/** Where the module of a plugin comes from is no host that it calls. */
function withoutModule(object: RenderedObject): RenderedObject {
  if (!isWasmPlugin(object)) return object;
  const spec = Object.entries(mapAt(object, "spec")).filter(([key]) => key !== "url");
  return { ...object, spec: Object.fromEntries(spec) };
}

/** https://github.com/alibaba/higress/blob/main/api/networking/v1/mcp_bridge.proto: addresses with commas between them, ports apart or in them. */
function registryHosts(object: RenderedObject): readonly string[] {
  const spec = mapAt(object, "spec");
  // https://istio.io/latest/docs/reference/config/networking/service-entry/
  if (textAt(object, "kind") === "ServiceEntry")
    return [spec["hosts"]].flat().filter((host) => typeof host === "string");
  if (textAt(object, "kind") !== "McpBridge") return [];
  return [
    ...itemsAt(spec, "registries").flatMap((each) => (textAt(each, "domain") ?? "").split(",")),
    ...itemsAt(spec, "proxies").map((each) => textAt(each, "serverAddress") ?? ""),
  ].map((host) => host.trim().replace(/:\d{1,5}$/, ""));
}

/** Where a route of the console leads, if not to a service: `100% api.bank.example.dns:443`. */
function routeHosts(object: RenderedObject): readonly string[] {
  const destination = textAt(mapAt(object, "metadata", "annotations"), "higress.io/destination") ?? "";
  return [...destination.slice(0, 4000).matchAll(/(?<![\w.-])([\w.-]{1,250})\.dns(?::\d{1,5})?(?![\w.-])/g)]
    .map(([, host = ""]) => host)
    .filter((host) => host.includes("."));
}

/** Platforms of nodes, as far as a bundle can carry images for them. */
export function nodePlatforms(nodes: readonly KubeObject[]): readonly string[] {
  const platforms = nodes.map((node) => {
    const { operatingSystem = "linux", architecture = "" } = mapAt(node, "status", "nodeInfo");
    return `${String(operatingSystem)}/${String(architecture)}`;
  });
  return [...new Set(platforms)].filter((platform) => /^linux\/[a-z0-9]+$/.test(platform)).sort();
}

/** Secrets that these objects name: whoever goes there needs them, and they are in no file. */
export function secretsNamed(objects: readonly KubeObject[]): readonly LeftOut[] {
  const names = objects.flatMap((object) =>
    [...namesOfSecrets({ ...object, metadata: object.metadata.annotations })].map(
      (name) => `${name} (${object.kind} ${nameOf(object)})`,
    ),
  );
  return [...new Set(names)].map((where) => ({ reason: "secret-object", where }));
}

/** `authSecretName`, `imagePullSecret`, `credentialName` of Istio's Gateway, `higress.io/auth-tls-secret` of an Ingress. */
const secretNameKey = /(^imagePullSecret|secretName|^credentialName|\/(auth|auth-tls|proxy-ssl)-secret)$/i;
/** Of Gateways of the Gateway API; what they refer to is a Secret unless they say otherwise. */
const secretRefKey = /^(certificateRefs|secretRef)$/;

function* namesOfSecrets(value: unknown, depth = 0): Generator<string> {
  // Deeper than this nobody writes objects.
  if (typeof value !== "object" || value === null || depth > 100) return;
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === "string" && secretNameKey.test(key)) yield member.slice(0, 300);
    else if (secretRefKey.test(key)) yield* [member].flat().filter(isMap).flatMap(secretReferredTo);
    else yield* namesOfSecrets(member, depth + 1);
  }
}

function secretReferredTo(ref: RenderedObject): readonly string[] {
  const name = textAt(ref, "name");
  return name === undefined || (textAt(ref, "kind") ?? "Secret") !== "Secret" ? [] : [name];
}
