import { access, constants, stat } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { isSingleExecutable, readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { openHelm, type Helm } from "../../edge/process/helm.ts";
import { openKubectl, type Kubectl } from "../../edge/process/kubectl.ts";
import { moduleStarter } from "../../edge/wasm/starter.ts";
import { Failure } from "../../model/failure.ts";
import { GatewayGenerations } from "../../model/gateway.ts";
import type { Site } from "../../model/site.ts";
import type { StartPorts } from "../../pipeline/carried-plugins.ts";
import type { Context } from "../context.ts";
import { asFound, startedAs } from "../started-as.ts";
import { trustedKeys } from "./bundles.ts";
import { checkProgram, type Origin } from "./carried-program.ts";
import { text, type Flags } from "../define.ts";

export interface FindToolOptions {
  /** As the flag or the site file names it. */
  readonly named?: string | undefined;
  /** Public keys of the site: what a bundle carries must be signed by one of them. */
  readonly keys?: readonly string[] | undefined;
}

/**
 * Finds helm or kubectl: as named, then on PATH, then out of an unpacked bundle (`bin/helm-linux-amd64`): here, or beside
 * the executable that runs.
 * @throws Failure TOOL_MISSING, PROGRAM_UNTRUSTED
 */
export async function findTool(
  tool: "helm" | "kubectl",
  { named, keys = [] }: FindToolOptions,
  context: Context,
): Promise<string> {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const carried = `${tool}-linux-${architecture}`;
  const beside = isSingleExecutable() ? [dirname(process.execPath)] : [];
  const folders = [join(context.cwd, "bin"), ...beside];
  for (const { path, origin } of candidates(tool, named, { carried, folders }, context)) {
    if (!(await isExecutable(path))) continue;
    await checkProgram(path, origin, keys, context);
    return path;
  }
  const places = ["PATH", ...new Set(folders.map((folder) => join(folder, carried)))];
  const looked = named === undefined ? places.join(", ") : resolve(context.cwd, named);
  throw new Failure("TOOL_MISSING", { tool, looked });
}

interface Candidate {
  readonly path: string;
  readonly origin: Origin;
}

function candidates(
  tool: string,
  named: string | undefined,
  { carried, folders }: { readonly carried: string; readonly folders: readonly string[] },
  { cwd, env }: Context,
): readonly Candidate[] {
  if (named !== undefined) return [{ path: resolve(cwd, named), origin: "named" }];
  // A relative one is the folder that we happen to be in: an unpacked stick may have a helm of its own in it.
  const onPath = (env["PATH"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  return [
    ...onPath.map((folder): Candidate => ({ path: join(folder, tool), origin: "path" })),
    ...folders.map((folder): Candidate => ({ path: join(folder, carried), origin: "bundle" })),
  ];
}

async function isExecutable(path: string): Promise<boolean> {
  // A folder can be entered, which is what X says of it.
  const file = await stat(path).catch(() => undefined);
  if (file?.isFile() !== true) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The environment for programs that we start: passwords that the site keeps in variables are for us alone. */
function withoutPasswords(env: Context["env"], { registry, pull, registries }: Site): Context["env"] {
  const endpoints = Object.values(registries).flatMap((each) => each.endpoints);
  const sources = [registry.credentials, pull.credentials, ...endpoints.map(({ credentials }) => credentials)];
  const names = new Set(sources.map((source) => source?.passwordEnv));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
}

/** Disposing of them removes helm's own folders. */
export interface ClusterTools extends AsyncDisposable {
  readonly helm: Helm;
  readonly kubectl: Kubectl;
  /** kubectl as a person types it to reach this cluster, from whatever folder. */
  readonly typedKubectl: readonly string[];
}

/** helm and kubectl for the site's cluster: flags first, then the site file, then what is found. */
export async function openTools(flags: Flags, site: Site, context: Context): Promise<ClusterTools> {
  const { cwd, env } = context;
  const named = text(flags, "kubeconfig") ?? site.cluster.kubeconfig;
  const options = {
    env: withoutPasswords(env, site),
    kubeconfig: named ?? env["KUBECONFIG"],
    context: text(flags, "context") ?? site.cluster.context,
  };
  const helm = await findSiteTool("helm", flags, site, context);
  const binary = await findSiteTool("kubectl", flags, site, context);
  const kubectl = await openKubectl(binary, options);
  const opened = await openHelm(helm, { ...options, self: startedAs() });
  return {
    helm: opened,
    kubectl,
    typedKubectl: [
      asFound(binary, env),
      ...(named === undefined ? [] : ["--kubeconfig", resolve(cwd, named)]),
      ...(options.context === undefined ? [] : ["--context", options.context]),
    ],
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

export function findSiteTool(tool: "helm" | "kubectl", flags: Flags, site: Site, context: Context): Promise<string> {
  const named = text(flags, tool) ?? site.cluster[tool];
  return findTool(tool, { named, keys: trustedKeys(flags, site) }, context);
}

const gateways = "manifests/higress/gateways.yaml";

export async function loadGateways(): Promise<GatewayGenerations> {
  return parseConfig(await readAsset(gateways), gateways, GatewayGenerations);
}

export async function startPorts(): Promise<StartPorts> {
  return { gateways: await loadGateways(), starter: moduleStarter() };
}
