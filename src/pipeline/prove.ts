import type { Finding } from "../model/finding.ts";
import type { Site } from "../model/site.ts";
import type { Bundle } from "../stages/bundle/open.ts";
import { relocationExceptions } from "../stages/relocate/patches.ts";
import { prove, workloadsWithoutPullSecret } from "../stages/prove/prove.ts";
import type { HelmPort, HelmSource } from "../model/helm.ts";
import type { InstallPlan, PlannedChart } from "./install-plan.ts";

export interface Rendered {
  readonly chart: PlannedChart;
  readonly manifest: string;
  readonly crds: readonly string[];
}

export interface ProofResult {
  readonly findings: readonly Finding[];
  readonly images: number;
  readonly strings: number;
  /** Accounts whose pods would pull without credentials. */
  readonly accounts: readonly string[];
}

export interface RenderPorts {
  readonly helm: Pick<HelmPort, "template" | "dryRun">;
  /** Puts bytes where a program can read them, for as long as `use` runs. */
  withFile<T>(name: string, bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T>;
  /** CRDs of a chart archive, as YAML. */
  chartCrds(archive: Uint8Array): Promise<readonly string[]>;
}

/**
 * Renders each chart by the very call that will install it, as a server-side dry run: `helm template` would not see what
 * `lookup` finds. Without a cluster, the template is the next best thing.
 */
export async function renderAll(
  plan: InstallPlan,
  bundle: Bundle,
  ports: RenderPorts,
  options: { readonly offline?: string; readonly signal: AbortSignal },
): Promise<readonly Rendered[]> {
  const rendered: Rendered[] = [];
  for (const chart of plan.charts) {
    const archive = await bundle.readFile(chart.file);
    const manifest = await ports.withFile(`${chart.name}-${chart.version}.tgz`, archive, async (path) => {
      const source = helmSource(chart, path);
      if (options.offline !== undefined)
        return ports.helm.template(
          { ...source, kubeVersion: options.offline },
          { includeCrds: false, signal: options.signal },
        );
      return (await ports.helm.dryRun(source, { signal: options.signal })).manifest;
    });
    rendered.push({ chart, manifest, crds: await ports.chartCrds(archive) });
  }
  return rendered;
}

export function helmSource(chart: PlannedChart, path: string): HelmSource {
  const { release, namespace, values, patches } = chart;
  return { chart: path, release, namespace, values, patches };
}

/** The gate: everything that would be applied names only what was carried. */
export function proveAll(rendered: readonly Rendered[], plan: InstallPlan, site: Site): ProofResult {
  const results = rendered.map(({ manifest, chart }) =>
    prove(manifest, {
      exceptions: relocationExceptions(chart.relocation, chart.release),
      allowedPrefixes: [plan.prefix],
      allowedHosts: siteHosts(site),
      carried: plan.carried,
    }),
  );
  const sum = (of: (result: (typeof results)[number]) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    findings: results.flatMap(({ findings }) => findings),
    images: sum(({ images }) => images),
    strings: sum(({ strings }) => strings),
    accounts: [
      ...new Set(
        rendered.flatMap(({ manifest }) => workloadsWithoutPullSecret(manifest)).map(({ account }) => account),
      ),
    ],
  };
}

/** Besides the registry: the plugin server that the user named. */
export function siteHosts(site: Site): readonly string[] {
  const server = site.plugins.url === undefined ? undefined : /^https?:\/\/([^/]+)/.exec(site.plugins.url)?.[1];
  return server === undefined ? [] : [server];
}
