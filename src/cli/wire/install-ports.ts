import { readChart } from "../../edge/charts/read.ts";
import { readChartValues } from "../../edge/charts/values.ts";
import type { ChartValues } from "../../model/values.ts";
import { readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { loadManifests } from "../../edge/files/documents.ts";
import { temporaryFile } from "../../edge/files/temporary.ts";
import { readCertificates } from "../../edge/registry/roots.ts";
import { TargetProbe } from "../../edge/harbor/probe.ts";
import type { Report } from "../../model/event.ts";
import type { Site } from "../../model/site.ts";
import { SymptomTable } from "../../model/symptom.ts";
import type { InstallPorts, InstallInput, UrlAsker } from "../../pipeline/install-ports.ts";
import { preflight, type PluginPreflightPorts, type Preflighted } from "../../pipeline/preflight.ts";
import { clusterIdentity } from "../../pipeline/install.ts";
import { pullSecretOf } from "../../pipeline/pull-secret.ts";
import { urlAsker } from "../../pipeline/url-asker.ts";
import type { Context } from "../context.ts";
import { tool } from "../version.ts";
import { verifyWhole } from "./bundles.ts";
import { siteReceipts } from "./receipts.ts";
import {
  connectAsPuller,
  connectPlain,
  pullerAccess,
  pullLogin,
  type TargetOptions,
  type TargetSession,
} from "./registries.ts";
import { startPorts, type ClusterTools } from "./tools.ts";

/** Where the install's ports meet their edges. */
export async function installPorts(
  options: TargetOptions,
  session: TargetSession,
  tools: ClusterTools,
  context: Context,
): Promise<InstallPorts> {
  const { site } = options;
  const { signal } = context;
  return {
    verify: async (bundle) => (await verifyWhole(bundle, { quick: false }, context)).findings,
    preflight: async (asked, { pushes }) => {
      const { findings, failure } = await preflightOf(asked, session, options, tools, context, { pushes });
      if (failure !== undefined) throw failure;
      return findings;
    },
    target: session.target,
    pushOptions: session.pushOptions,
    harbor: () => session.harbor(),
    asPuller: () => connectAsPuller(options, context),
    urlAsker: () => urlAskerOf(options, tools, context),
    helm: tools.helm,
    cluster: tools.kubectl,
    receipts: siteReceipts(site, tools.kubectl, signal),
    symptoms: (await loadSymptoms()).symptoms,
    withFile,
    userPlugins: await readUserPlugins(site),
    chartCrds,
    chartValues,
    pullSecret: () =>
      pullSecretOf(site, {
        harbor: () => session.harbor(),
        pullLogin: () => pullLogin(site, context),
        cluster: () => clusterIdentity(tools.kubectl, signal),
        signal,
      }),
    ca: await readCa(site),
    now: context.now,
    tool: `${tool.name} ${tool.version}`,
  };
}

const symptoms = "manifests/higress/symptoms.yaml";

export async function loadSymptoms(): Promise<SymptomTable> {
  return parseConfig(await readAsset(symptoms), symptoms, SymptomTable);
}

export async function withFile<T>(name: string, bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  await using file = await temporaryFile(name, bytes);
  return await use(file.path);
}

export async function chartCrds(archive: Uint8Array): Promise<readonly string[]> {
  return (await readChart(archive)).crds.map((crd) => crd.text);
}

export function chartValues(archive: Uint8Array): Promise<ChartValues> {
  return readChartValues(archive);
}

/** What workloads must trust so that they can fetch: nothing, where nothing is signed. */
export async function readCa({ registry }: Site): Promise<string | undefined> {
  return registry.ca === undefined || registry.plainHttp ? undefined : readCertificates(registry.ca);
}

export async function readUserPlugins(site: Site): Promise<readonly string[]> {
  return Promise.all(site.plugins.manifests.map(loadManifests));
}

/** Preflight with its ports at their edges: the registry is asked with the eyes of who pushes and of who pulls. */
export async function preflightOf(
  asked: InstallInput,
  session: TargetSession,
  options: TargetOptions,
  tools: ClusterTools,
  context: Context,
  more: { readonly pushes?: boolean; readonly report?: Report },
): Promise<Preflighted> {
  const probe = { host: asked.site.registry.host, env: context.env };
  await using pusher = new TargetProbe(session.access, probe);
  await using puller = new TargetProbe(await pullerAccess(session, options, context), probe);
  return await preflight(asked, {
    target: session.target,
    pushOptions: session.pushOptions,
    insecure: session.access.insecure,
    pusher,
    puller,
    helm: tools.helm,
    cluster: tools.kubectl,
    withFile,
    chartCrds,
    chartValues,
    ...(await pluginPorts(asked.site, context)),
    now: context.now,
    ...more,
  });
}

export async function pluginPorts(site: Site, { signal }: Context): Promise<Omit<PluginPreflightPorts, "target">> {
  return { userPlugins: await readUserPlugins(site), modules: await startPorts(), signal };
}

/** Asks for URLs as a gateway would. */
export function urlAskerOf(
  options: TargetOptions,
  { kubectl }: Pick<ClusterTools, "kubectl">,
  context: Context,
): UrlAsker {
  return urlAsker({
    connectAsPuller: () => connectAsPuller(options, context),
    connectPlain: (host) => connectPlain(host, options, context),
    cluster: kubectl,
  });
}
