import { resolve } from "node:path";
import type { Site } from "../../model/site.ts";
import type { BundleSpec, CredentialsSource, Registries } from "../../model/spec.ts";

/** Paths mean the same wherever the command is run from: they are relative to the file that names them. */
export function absoluteBundleSpec(spec: BundleSpec, folder: string): BundleSpec {
  const at = (path: string): string => resolve(folder, path);
  const file = <F extends { path: string }>(entry: F): F => ({ ...entry, path: at(entry.path) });
  const source = (from: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(from) ? from : at(from));
  return {
    ...spec,
    charts: spec.charts.map((chart) => ({
      ...chart,
      from: source(chart.from),
      mirrors: chart.mirrors.map(source),
      valuesFiles: chart.valuesFiles.map(at),
      relocation: at(chart.relocation),
    })),
    crds: spec.crds.map(file),
    manifests: spec.manifests.map(file),
    tools: Object.fromEntries(Object.entries(spec.tools).map(([name, tool]) => [name, file(tool)])),
    registries: absoluteRegistries(spec.registries, at),
  };
}

export function absoluteSite(site: Site, folder: string): Site {
  const at = (path: string): string => resolve(folder, path);
  const { registry, pull, cluster } = site;
  return {
    ...site,
    registry: { ...registry, ...optional(registry, ["ca"], at), ...credentialsOf(registry, at) },
    pull: { ...pull, ...credentialsOf(pull, at) },
    cluster: { ...cluster, ...optional(cluster, ["kubeconfig"], at), ...programs(cluster, at) },
    valuesFiles: site.valuesFiles.map(at),
    plugins: { ...site.plugins, manifests: site.plugins.manifests.map(at) },
    registries: absoluteRegistries(site.registries, at),
    trustKeys: site.trustKeys.map(at),
    stateDir: at(site.stateDir ?? "higress-airgap.state"),
  };
}

type At = (path: string) => string;

function absoluteRegistries(registries: Registries, at: At): Registries {
  const entries = Object.entries(registries).map(([host, { endpoints }]) => {
    const moved = endpoints.map((endpoint) => ({
      ...endpoint,
      ...optional(endpoint, ["ca"], at),
      ...credentialsOf(endpoint, at),
    }));
    return [host, { endpoints: moved }] as const;
  });
  return Object.fromEntries(entries);
}

function credentialsOf(
  owner: { readonly credentials?: CredentialsSource | undefined },
  at: At,
): { credentials?: CredentialsSource } {
  const { credentials } = owner;
  return credentials === undefined
    ? {}
    : { credentials: { ...credentials, ...optional(credentials, ["passwordFile"], at) } };
}

/** A program without a slash is looked up in PATH, as a shell does. */
function programs(cluster: Site["cluster"], at: At): { helm?: string; kubectl?: string } {
  const found = (program: string): string => (program.includes("/") ? at(program) : program);
  return optional(cluster, ["helm", "kubectl"], found);
}

/** The members of `owner` that are there, moved; absent ones stay absent. */
function optional<K extends string>(
  owner: Readonly<Partial<Record<K, unknown>>>,
  keys: readonly K[],
  at: At,
): Partial<Record<K, string>> {
  const present = keys.flatMap((key) => {
    const value = owner[key];
    return typeof value === "string" ? [[key, at(value)] as const] : [];
  });
  return Object.fromEntries(present) as Partial<Record<K, string>>;
}
