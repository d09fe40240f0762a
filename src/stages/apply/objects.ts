import { digestOf } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { managedBy, type KubeObject } from "../../model/kubernetes.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";

const caName = "higress-airgap-ca";
const caDirectory = "/etc/higress-airgap/ca";
const caHash = "airgap.higress.io/ca-sha256";

export interface PullSecret {
  readonly name: string;
  /** host[:port] exactly as image references and plugin URLs name it: it is the key that is looked up. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** A container that fetches by itself, and so needs the registry's CA. */
export interface TrustTarget {
  readonly kind: "Deployment" | "DaemonSet";
  readonly name: string;
  readonly container: string;
}

export function namespaceObject(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: managedBy } };
}

/** https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets: the only type that the gateway reads too. */
export function pullSecret(namespace: string, { name, registry, username, password }: PullSecret): KubeObject {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  const config = JSON.stringify({ auths: { [registry]: { username, password, auth } } });
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels: managedBy },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(config).toString("base64") },
  };
}

export function caConfigMap(namespace: string, pem: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: caName, namespace, labels: managedBy },
    data: { "registry-ca.crt": pem },
  };
}

/**
 * The chart has no key for volumes, so the CA is laid over the workload. SSL_CERT_DIR adds to the system's roots where
 * SSL_CERT_FILE would replace them; the hash makes a new CA roll the pods, since Go reads its roots once per process.
 */
export function caOverlay(namespace: string, target: TrustTarget, pem: string): KubeObject {
  return {
    ...workload(namespace, target),
    spec: {
      template: {
        metadata: { annotations: { [caHash]: digestOf(pem) } },
        spec: {
          containers: [
            {
              name: target.container,
              env: [{ name: "SSL_CERT_DIR", value: `/etc/ssl/certs:${caDirectory}` }],
              volumeMounts: [{ name: caName, mountPath: caDirectory, readOnly: true }],
            },
          ],
          volumes: [{ name: caName, configMap: { name: caName } }],
        },
      },
    },
  };
}

/** Pods of this account pull with `secret`, for workloads whose chart has no value for it. Admission copies it into new pods. */
export function serviceAccountPatch(namespace: string, name: string, secret: string): KubeObject {
  return { ...serviceAccount(namespace, name), imagePullSecrets: [{ name: secret }] };
}

function serviceAccount(namespace: string, name: string): KubeObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } };
}

/** Applied as it is, it gives back every field that we own: server-side apply removes what is no longer said. */
function workload(namespace: string, { kind, name }: Pick<TrustTarget, "kind" | "name">): KubeObject {
  return { apiVersion: "apps/v1", kind, metadata: { name, namespace } };
}

export interface RenderedName {
  readonly kind: string;
  readonly name: string;
  /** Names of a workload's containers. */
  readonly containers: readonly string[];
  /** Of helm, that makes it. */
  readonly release: string;
}

export interface PlanInput {
  readonly namespace: string;
  readonly ca?: string | undefined;
  /** Name of the pull secret; its content is nobody's to write down. */
  readonly pullSecret?: string | undefined;
  readonly trust: readonly TrustTarget[];
  readonly serviceAccounts: readonly string[];
  /** What helm will make: an overlay lies only over what is there. */
  readonly rendered: readonly RenderedName[];
}

export interface PlannedObjects {
  readonly namespace: readonly KubeObject[];
  /** Before helm. */
  readonly before: readonly KubeObject[];
  /** After helm, with a field manager of our own. */
  readonly overlay: readonly KubeObject[];
}

interface Placeable extends Pick<RenderedName, "name" | "containers"> {
  readonly kind: string;
}

/**
 * Where an overlay belongs: the values may have made a Deployment into a DaemonSet, or given the workload another name;
 * then it is known by the container that fetches. Empty where nothing fits.
 */
export function placedTargets(target: TrustTarget, workloads: readonly Placeable[]): readonly TrustTarget[] {
  const fit = workloads.flatMap(({ kind, name, containers }) =>
    kind === "Deployment" || kind === "DaemonSet" ? [{ kind, name, containers } as const] : [],
  );
  const named = fit.filter(({ name }) => name === target.name);
  const found = named.length > 0 ? named : fit.filter(({ containers }) => containers.includes(target.container));
  return found.map(({ kind, name }) => ({ kind, name, container: target.container }));
}

/** The objects that `prepareCluster` and `overlayCluster` apply, told without a cluster: for people who apply them themselves. */
export function planObjects(input: PlanInput): PlannedObjects {
  const { namespace, ca, pullSecret, rendered } = input;
  const found = (kind: string, name: string): RenderedName | undefined =>
    rendered.find((one) => one.kind === kind && one.name === name);
  const patches = input.serviceAccounts.flatMap((name): readonly KubeObject[] => {
    const account = found("ServiceAccount", name);
    if (pullSecret === undefined || (account === undefined && name !== "default")) return [];
    return [adoptable(serviceAccountPatch(namespace, name, pullSecret), account?.release)];
  });
  const targets = input.trust.flatMap((target) => placedTargets(target, rendered));
  return {
    namespace: [namespaceObject(namespace)],
    before: [...(ca === undefined ? [] : [caConfigMap(namespace, ca)]), ...patches],
    overlay: ca === undefined ? [] : targets.map((target) => caOverlay(namespace, target, ca)),
  };
}

/**
 * An install gives accounts the secret while helm runs, and starts what was born too early anew; who applies files cannot,
 * so the accounts come first. With these marks helm takes them for its own.
 */
function adoptable(account: KubeObject, release: string | undefined): KubeObject {
  if (release === undefined) return account;
  const { metadata } = account;
  const annotations = {
    "meta.helm.sh/release-name": release,
    "meta.helm.sh/release-namespace": metadata.namespace ?? "",
  };
  return { ...account, metadata: { ...metadata, labels: { "app.kubernetes.io/managed-by": "Helm" }, annotations } };
}

/** Names of the CustomResourceDefinitions in these files, each once. @throws Failure CHART_UNUSABLE for broken YAML */
export function crdNames(files: readonly string[]): readonly string[] {
  return [...new Set(files.flatMap(namesIn))];
}

function namesIn(yaml: string): readonly string[] {
  try {
    return loadTyped(yaml).flatMap((document) => {
      // Generated files end in `---`, which begins one more document: an empty one.
      const { kind, metadata } = (document ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null };
      return kind === "CustomResourceDefinition" && typeof metadata?.name === "string" ? [metadata.name] : [];
    });
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new Failure(
      "CHART_UNUSABLE",
      { chart: "crds", why: `${error.message} (line ${error.line})` },
      { cause: error },
    );
  }
}
