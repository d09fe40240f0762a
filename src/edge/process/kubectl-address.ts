import type { RunResult } from "./run.ts";

/**
 * The address of the API server, by what `kubectl config view --minify` found. Without a kubeconfig kubectl asks the cluster of the
 * pod that it runs in.
 */
export function clusterAddress(
  found: RunResult,
  { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const named = found.exitCode === 0 ? found.stdout.trim() : "";
  const inPod = host === undefined ? undefined : `https://${host.includes(":") ? `[${host}]` : host}:${port ?? "443"}`;
  const url = named === "" ? inPod : named;
  if (url === undefined || !URL.canParse(url)) return undefined;
  // Neither a login nor the case of the host, a port that goes without saying or a last slash is part of an address.
  const { protocol, host: where, pathname } = new URL(url);
  return `${protocol}//${where}${pathname.replace(/\/+$/, "")}`.slice(0, 600);
}
