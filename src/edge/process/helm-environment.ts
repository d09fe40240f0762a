import { join, resolve } from "node:path";
import type { HelmOptions } from "./helm.ts";

/** What a cluster's credential plugins, proxies and certificates need. Everything else of ours stays with us. */
const passed =
  /^(PATH|LANG|LC_ALL|TMPDIR|SSL_CERT_FILE|SSL_CERT_DIR|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy|HELM_DRIVER(_SQL_CONNECTION_STRING)?)$/;

/** The whole environment of helm; `folder` is private and will be removed. */
export function helmEnvironment(options: HelmOptions, folder: string): Readonly<Record<string, string>> {
  const { env } = options;
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && passed.test(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    HOME: folder,
    HELM_CACHE_HOME: join(folder, "cache"),
    HELM_CONFIG_HOME: join(folder, "config"),
    HELM_DATA_HOME: join(folder, "data"),
    HELM_PLUGINS: join(folder, "plugins"),
    NO_COLOR: "1",
    KUBECONFIG: kubeconfigOf(options),
  };
}

/** HOME is another one now, so the usual place must be said; a relative path must not follow the working folder. */
function kubeconfigOf({ env, kubeconfig }: HelmOptions): string {
  if (kubeconfig !== undefined) return resolve(kubeconfig);
  const named = (env["KUBECONFIG"] ?? "").split(":").filter((path) => path !== "");
  if (named.length > 0) return named.map((path) => resolve(path)).join(":");
  return env["HOME"] === undefined ? "/dev/null" : join(env["HOME"], ".kube/config");
}
