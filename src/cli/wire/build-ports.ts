import type { bundleOutput } from "../../edge/disk/bundle-output.ts";
import { openHelm, type Helm } from "../../edge/process/helm.ts";
import { moduleStarter } from "../../edge/wasm/starter.ts";
import type { StartHash } from "../../content/stream-hash.ts";
import type { BundleSpec } from "../../model/spec.ts";
import type { BuildPorts, LoadedChart, RenderRequest } from "../../pipeline/build-ports.ts";
import { reusing } from "../../pipeline/reuse.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import type { SmallFile } from "../../stages/bundle/plan.ts";
import { findInConsole } from "../../stages/plugins/find.ts";
import { pluginManifests } from "../../stages/plugins/manifests.ts";
import type { Context } from "../context.ts";
import { temporaryFile } from "../../edge/files/temporary.ts";
import { loadChart } from "./charts.ts";
import { examiner } from "./examine.ts";
import { loadGateways } from "./gateways.ts";
import type { RegistryPool } from "./registries.ts";

export interface BuildWiring {
  readonly spec: BundleSpec;
  readonly helm: string | undefined;
  /** The user's own manifests. */
  readonly manifests: readonly SmallFile[];
  readonly output: ReturnType<typeof bundleOutput>;
  readonly startHash: StartHash;
  /** Earlier bundles: what they have is not fetched. */
  readonly reuse: readonly Bundle[];
}

/** Where the build's ports meet their edges. Helm is started only when there is a chart; disposing removes its folders. */
export async function buildPorts(
  wiring: BuildWiring,
  pool: RegistryPool,
  context: Context,
): Promise<BuildPorts & AsyncDisposable> {
  const gateways = await loadGateways();
  const helm = wiring.helm === undefined ? undefined : await openHelm(wiring.helm, { env: context.env });
  return {
    loadChart: (spec, { locked }) => loadChart(spec, locked, pool, context),
    render: (request) => render(helm, request),
    repository: async (reference) => reusing(await pool.repository(reference), wiring.reuse),
    examine: examiner({
      gateway: wiring.spec.version,
      gateways,
      starter: moduleStarter(),
      manifests: wiring.manifests.flatMap(({ name, bytes }) =>
        pluginManifests(Buffer.from(bytes).toString("utf8"), name),
      ),
      signal: context.signal,
    }),
    discoverPlugins: async ({ content, root }) => {
      const found = await findInConsole(root, content, { signal: context.signal });
      return found.plugins;
    },
    output: wiring.output,
    startHash: wiring.startHash,
    async [Symbol.asyncDispose]() {
      await helm?.[Symbol.asyncDispose]();
    },
  };
}

async function render(helm: Helm | undefined, request: RenderRequest): Promise<string> {
  if (helm === undefined) return "";
  const { chart, kubeVersion, values, signal } = request;
  await using file = await temporaryFile(`${chart.name}-${chart.version}.tgz`, chart.archive);
  return await helm.template(sourceOf(chart, file.path, kubeVersion, values), {
    includeCrds: true,
    ...(signal === undefined ? {} : { signal }),
  });
}

function sourceOf(chart: LoadedChart, path: string, kubeVersion: string, values: RenderRequest["values"]) {
  return {
    chart: path,
    release: chart.spec.release ?? chart.name,
    namespace: chart.spec.namespace,
    kubeVersion,
    values,
  };
}
