import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, stat, realpath } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, join, resolve, basename } from "node:path";
import { readFailure } from "../../edge/disk/errors.ts";
import { fittingKey } from "../../edge/disk/signature.ts";
import { isSingleExecutable, readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { readBytesIfThere } from "../../edge/files/read-text.ts";
import { openHelm, type Helm } from "../../edge/process/helm.ts";
import { openKubectl, type Kubectl } from "../../edge/process/kubectl.ts";
import { moduleStarter } from "../../edge/wasm/starter.ts";
import { Entry, limits } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { GatewayGenerations } from "../../model/gateway.ts";
import type { Site } from "../../model/site.ts";
import type { StartPorts } from "../../pipeline/carried-plugins.ts";
import { parseSums } from "../../stages/bundle/open.ts";
import { refuser } from "../../stages/bundle/read-entries.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { asFound, startedAs } from "../started-as.ts";
import { trustedKeys } from "./bundles.ts";

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

const maxSignature = 1024;

/** Where a program came from: what was unpacked beside us, what somebody named, or the host's own PATH. */
type Origin = "bundle" | "named" | "path";

/**
 * A program that was unpacked from a bundle is started only as what SHA256SUMS beside `bin/` says, and that, once keys
 * are configured, only with its signature: whoever can put a file beside us could otherwise run it as us. What the
 * host or its owner put elsewhere is theirs to vouch for.
 * @throws Failure PROGRAM_UNTRUSTED, BUNDLE_MALFORMED
 */
async function checkProgram(path: string, origin: Origin, keys: readonly string[], context: Context): Promise<void> {
  // A link on PATH into an unpacked bundle starts what the bundle carries.
  const real = await realpath(path);
  const folder = dirname(dirname(real));
  if (origin !== "bundle" && basename(dirname(real)) !== "bin") return;
  const untrusted: Untrusted = (why) => new Failure("PROGRAM_UNTRUSTED", { program: path, why });
  const bytes = await readBytesIfThere(join(folder, Entry.sums), limits.smallFile);
  if (bytes === undefined) {
    if (origin === "bundle") throw untrusted(`${Entry.sums}: ENOENT`);
    return;
  }
  const sums = parseSums(bytes.toString("latin1"), refuser(join(folder, Entry.sums)));
  const name = `bin/${basename(real)}`;
  const wanted = sums.get(name);
  if (wanted === undefined) {
    if (origin === "path") return;
    throw untrusted(`${Entry.sums}: ${name}: -`);
  }
  if (keys.length > 0) await checkSums(bytes, folder, keys, untrusted, context);
  const got = await sha256Of(real);
  if (got !== wanted) throw untrusted(`sha256 ${got}, ${Entry.sums} ${wanted}`);
}

type Untrusted = (why: string) => Failure;

async function checkSums(
  sums: Uint8Array,
  folder: string,
  keys: readonly string[],
  untrusted: Untrusted,
  { cwd }: Context,
): Promise<void> {
  const signature = await readBytesIfThere(join(folder, Entry.signature), maxSignature);
  if (signature === undefined) throw untrusted(`${Entry.signature}: ENOENT`);
  const paths = keys.map((key) => resolve(cwd, key));
  if ((await fittingKey(sums, signature, paths)) === undefined)
    throw untrusted(`${Entry.signature} ≠ ${keys.join(", ")}`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  } catch (error) {
    throw readFailure(error, path);
  }
  return hash.digest("hex");
}

/** Disposing of them removes helm's own folders. */
export interface ClusterTools extends AsyncDisposable {
  readonly helm: Helm;
  readonly kubectl: Kubectl;
  /** kubectl as a person types it to reach this cluster, from whatever folder. */
  readonly typedKubectl: readonly string[];
}

/** What kubectl says of it has no remedy that fits. @throws Failure FILE_MISSING, FILE_UNREADABLE */
async function refuseMissing(kubeconfig: string | undefined, cwd: string): Promise<void> {
  if (kubeconfig === undefined) return;
  const path = resolve(cwd, kubeconfig);
  await stat(path).catch((cause: unknown) => {
    throw readFailure(cause, path);
  });
}

/** helm and kubectl for the site's cluster: flags first, then the site file, then what is found. */
export async function openTools(flags: Flags, site: Site, context: Context): Promise<ClusterTools> {
  const { cwd, env } = context;
  const named = text(flags, "kubeconfig") ?? site.cluster.kubeconfig;
  await refuseMissing(named, cwd);
  const options = {
    env: withoutPasswords(env, site),
    kubeconfig: named ?? env["KUBECONFIG"],
    context: text(flags, "context") ?? site.cluster.context,
  };
  const helm = await findSiteTool("helm", flags, site, context);
  const binary = await findSiteTool("kubectl", flags, site, context);
  const kubectl = await openKubectl(binary, options);
  const opened = await openHelm(helm, { ...options, reachesCluster: true, self: startedAs() });
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
