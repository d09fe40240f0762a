import { digestOf } from "../../model/digest.ts";
import { managedBy, type KubeObject } from "../../model/kubernetes.ts";

export const caName = "higress-airgap-ca";
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

export function serviceAccount(namespace: string, name: string): KubeObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } };
}

/** Applied as it is, it gives back every field that we own: server-side apply removes what is no longer said. */
export function workload(namespace: string, { kind, name }: Pick<TrustTarget, "kind" | "name">): KubeObject {
  return { apiVersion: "apps/v1", kind, metadata: { name, namespace } };
}
