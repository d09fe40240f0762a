import type { Pod, Secret } from "kubernetes-types/core/v1.js";

import type { KubeApi } from "./api.ts";
import type { ImageName } from "./reference.ts";

/** The value of a Basic authorization header, still in base64. */
export type Credential = string;

export interface Keyring {
  /** Of the pull secrets that name the image's registry, in the order the pod lists them. */
  readonly credentials: readonly Credential[];
  /** Secrets the pod names that are not there; the kubelet goes on without them and says so in an event. */
  readonly missing: readonly string[];
}

/**
 * Reads the secrets in spec.imagePullSecrets. What a ServiceAccount brings is in there already: its admission plugin
 * copied it when the pod was made, and only if the pod named none itself.
 */
export async function keyringFor(api: KubeApi, pod: Pod, image: ImageName): Promise<Keyring> {
  const credentials: Credential[] = [];
  const missing: string[] = [];
  for (const { name = "" } of pod.spec?.imagePullSecrets ?? []) {
    try {
      const secret = await api.get(`/api/v1/namespaces/${pod.metadata?.namespace ?? ""}/secrets/${name}`);
      credentials.push(...credentialsIn(secret as Secret, image));
    } catch {
      missing.push(name);
    }
  }
  return { credentials, missing };
}

interface Entry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
}

function credentialsIn(secret: Secret, image: ImageName): Credential[] {
  const decoded = (key: string): unknown =>
    JSON.parse(Buffer.from(secret.data?.[key] ?? "e30=", "base64").toString("utf8"));
  const modern = decoded(".dockerconfigjson") as { auths?: Record<string, Entry> };
  const legacy = decoded(".dockercfg") as Record<string, Entry>;
  return Object.entries({ ...legacy, ...modern.auths })
    .filter(([key]) => covers(key, image))
    .sort(([a], [b]) => b.length - a.length)
    .map(([, { auth, username = "", password = "" }]) =>
      auth === undefined || auth === "" ? Buffer.from(`${username}:${password}`).toString("base64") : auth,
    );
}

/** `host`, `https://host/v1/` and `host/project` are all in use as keys; the last one is for that project only. */
function covers(key: string, image: ImageName): boolean {
  const place = key.replace(/^https?:\/\//, "").replace(/\/(v[12]\/?)?$/, "");
  return place === image.host || image.name === place || image.name.startsWith(`${place}/`);
}
