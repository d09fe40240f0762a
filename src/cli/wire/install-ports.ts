import { readAsset } from "../../edge/files/assets.ts";
import { readChart } from "../../edge/charts/read.ts";
import { loadValues, parseConfig, parseRelocationMap } from "../../edge/files/config.ts";
import { readText } from "../../edge/files/read-text.ts";
import { temporaryFile } from "../../edge/files/temporary.ts";
import { openHelm, type Helm } from "../../edge/process/helm.ts";
import { openKubectl, type Kubectl } from "../../edge/process/kubectl.ts";
import type { Site } from "../../model/site.ts";
import { SymptomTable } from "../../model/symptom.ts";
import type { InstallPorts } from "../../pipeline/install-ports.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { tool } from "../version.ts";
import { clusterFindings } from "./cluster-preflight.ts";
import { createProjects, pullSecretOf } from "./harbor-projects.ts";
import { pluginFindings } from "./plugin-preflight.ts";
import { registryFindings } from "./preflight.ts";
import { receiptsOf } from "./receipts.ts";
import { trustedKeys, verifyWhole } from "./bundles.ts";
import { connectAsPuller, type TargetOptions, type TargetSession } from "./target.ts";
import { findTool, withoutPasswords } from "./tools.ts";
import { urlAsker } from "./url-asker.ts";

/** Disposing of them removes helm's own folders. */
export interface ClusterTools extends AsyncDisposable {
  readonly helm: Helm;
  readonly kubectl: Kubectl;
}

/** helm and kubectl for the site's cluster: flags first, then the site file, then what is found. */
export async function openTools(flags: Flags, site: Site, context: Context): Promise<ClusterTools> {
  const kubeconfig = text(flags, "kubeconfig") ?? site.cluster.kubeconfig ?? context.env["KUBECONFIG"];
  const options = {
    env: withoutPasswords(context.env, site),
    kubeconfig,
    context: text(flags, "context") ?? site.cluster.context,
  };
  const helm = await findSiteTool("helm", flags, site, context);
  const kubectl = await openKubectl(await findSiteTool("kubectl", flags, site, context), options);
  const opened = await openHelm(helm, options);
  return { helm: opened, kubectl, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

export function findSiteTool(tool: "helm" | "kubectl", flags: Flags, site: Site, context: Context): Promise<string> {
  const named = text(flags, tool) ?? site.cluster[tool];
  return findTool(tool, { named, keys: trustedKeys(flags, site) }, context);
}

/** Where the install's ports meet their edges. */
export async function installPorts(
  options: TargetOptions,
  session: TargetSession,
  tools: ClusterTools,
  context: Context,
): Promise<InstallPorts> {
  const { site } = options;
  return {
    verify: async (bundle) => (await verifyWhole(bundle, { quick: false }, context)).findings,
    preflight: async (asked) => [
      ...(await registryFindings(asked, session, options, context)),
      ...(await clusterFindings(asked, tools, context)),
      ...(await pluginFindings(asked, context)),
    ],
    prepareRegistry: (plan) => createProjects(site, plan, session, context),
    target: session.registry,
    pushOptions: session.pushOptions,
    asPuller: () => connectAsPuller(options, context),
    urlAsker: () => urlAsker(options, tools, context),
    helm: tools.helm,
    cluster: tools.kubectl,
    receipts: receiptsOf(site, tools.kubectl, context.signal),
    symptoms: (await loadSymptoms()).symptoms,
    withFile,
    parseRelocation: parseRelocationMap,
    userValues: await readValues(site),
    userPlugins: await readUserPlugins(site),
    chartCrds,
    pullSecret: () => pullSecretOf(site, session, context),
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

export async function readValues(site: Site): Promise<readonly string[]> {
  return Promise.all(site.valuesFiles.map(loadValues));
}

/** What workloads must trust so that they can fetch: nothing, where nothing is signed. */
export async function readCa({ registry }: Site): Promise<string | undefined> {
  return registry.ca === undefined || registry.plainHttp ? undefined : read(registry.ca);
}

export async function readUserPlugins(site: Site): Promise<readonly string[]> {
  return Promise.all(site.plugins.manifests.map(read));
}

/** A PEM, or manifests that people wrote. */
const maxText = 16 * 1024 ** 2;

function read(path: string): Promise<string> {
  return readText(path, maxText);
}
