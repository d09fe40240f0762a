import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import { Failure, isFailure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import type {
  AtRevision,
  HelmSource,
  ListedRelease,
  ReleaseChart,
  ReleaseInfo,
  ReleaseRevision,
  TemplateOptions,
} from "../../model/helm.ts";
import type { Values } from "../../model/values.ts";
import { readClusterFlags } from "../charts/values.ts";
import type { ProgramStart } from "./helm-post-renderer.ts";
import { run } from "./run.ts";

export interface HelmOptions {
  /** Of the user; what helm needs of it is chosen here. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A cluster is asked: `env`, without passwords of ours, goes along, since exec plugins of a kubeconfig need HOME and more. */
  readonly reachesCluster?: boolean | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** Where helm's own folders and the values files are made. @default the system's temporary folder */
  readonly workDirectory?: string | undefined;
  /** How this program is started: helm runs it to apply patches, which are refused without. */
  readonly self?: ProgramStart | undefined;
}

/** Settings of somebody else's helm: a namespace, plugins, another cluster. Where releases are kept is the cluster's. */
const settings = /^HELM_(?!DRIVER(_SQL_CONNECTION_STRING)?$)/;
/** What a helm needs that only renders. */
const passed = /^(PATH|LANG|LC_ALL|SSL_CERT_FILE|SSL_CERT_DIR|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/;

/** The whole environment of helm; `folder` is private and will be removed. */
export function helmEnvironment(options: HelmOptions, folder: string): Readonly<Record<string, string>> {
  const { env, reachesCluster = false } = options;
  const isKept = (name: string): boolean => (reachesCluster ? !settings.test(name) : passed.test(name));
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isKept(entry[0]),
  );
  return {
    HOME: folder,
    ...Object.fromEntries(kept),
    TMPDIR: folder,
    KUBECACHEDIR: join(folder, "kube"),
    HELM_CACHE_HOME: join(folder, "cache"),
    HELM_CONFIG_HOME: join(folder, "config"),
    HELM_DATA_HOME: join(folder, "data"),
    HELM_PLUGINS: join(folder, "plugins"),
    NO_COLOR: "1",
    KUBECONFIG: kubeconfigOf(options),
  };
}

/** The usual place where nothing else is said; a relative path must not follow the working folder. */
function kubeconfigOf({ env, kubeconfig }: HelmOptions): string {
  if (kubeconfig !== undefined) return resolve(kubeconfig);
  const named = (env["KUBECONFIG"] ?? "").split(":").filter((path) => path !== "");
  if (named.length > 0) return named.map((path) => resolve(path)).join(":");
  return env["HOME"] === undefined ? "/dev/null" : join(env["HOME"], ".kube/config");
}

export interface HelmRelease extends ReleaseInfo {
  readonly release: string;
  readonly namespace: string;
  readonly description: string;
}

const ReleaseDocument = z.object({
  name: z.string(),
  namespace: z.string(),
  version: z.int(),
  info: z.object({ status: z.string(), last_deployed: z.string().default(""), description: z.string().default("") }),
});

const InstalledDocument = z.object({
  manifest: z.string().default(""),
  hooks: z.array(z.object({ manifest: z.string().default("") })).nullish(),
});

/** `helm status -o json`, which `upgrade -o json` also prints; the same members on 3.17, 4.1 and 4.2. */
export function parseRelease(text: string): HelmRelease {
  const { name, namespace, version, info } = parse(ReleaseDocument, text);
  const { status, last_deployed: updated, description } = info;
  return { release: name, namespace, revision: version, status, updated, description };
}

const MetadataDocument = z.object({
  chart: z.string(),
  version: z.string(),
  revision: z.int(),
  status: z.string(),
  /** Of Helm 4: `ssa`, `csa`; nothing for a release that Helm 3 has made and not 4 yet. */
  applyMethod: z.string().optional(),
});

export const revisionFlags = ({ revision }: AtRevision): readonly string[] =>
  revision === undefined ? [] : ["--revision", String(revision)];

/** `helm get metadata -o json`. */
export function parseMetadata(text: string): ReleaseChart {
  const { applyMethod, ...found } = parse(MetadataDocument, text);
  return { ...found, isServerSide: applyMethod === "ssa" };
}

const ValuesDocument = z.record(z.string(), z.unknown()).nullable();

/** `helm get values -o json`: null where nothing was given. */
export function parseValues(text: string): Values {
  return parse(ValuesDocument, text) ?? {};
}

const ListDocument = z.array(z.object({ name: z.string(), namespace: z.string(), chart: z.string() }));

/** `helm list -o json`. */
export function parseReleases(text: string): readonly ListedRelease[] {
  return parse(ListDocument, text).map(({ name, namespace, chart }) => ({ release: name, namespace, chart }));
}

const HistoryDocument = z.array(
  z.object({ revision: z.int(), updated: z.string().default(""), status: z.string(), chart: z.string() }),
);

/** `helm history -o json`, the same members on 3.17, 4.1 and 4.2. */
export function parseHistory(text: string): readonly ReleaseRevision[] {
  return parse(HistoryDocument, text);
}

/** The manifest and the hooks of a release, as one multi-document text. */
export function installedManifest(text: string): string {
  const { manifest, hooks } = parse(InstalledDocument, text);
  return [manifest, ...(hooks ?? []).map((hook) => hook.manifest)].join("\n---\n");
}

function parse<S extends z.ZodType>(schema: S, text: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    // No cause: its message would quote a release, which holds values.
    const why = cause instanceof z.ZodError ? (cause.issues[0]?.path.join(".") ?? "") : "no JSON";
    throw new Failure("HELM_FAILED", { action: "read output", exit: "0", output: why });
  }
}

/**
 * Gives `use` the `-f` arguments of a chart, each layer in a file that only we can read and that is gone afterwards.
 * Objects go as JSON: it is YAML, and no YAML printer decides what `yes` means. Text goes as it is, for helm to read.
 */
export async function withValues<T>(
  folder: string,
  { values }: HelmSource,
  use: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  const made = values.map((layer) =>
    typeof layer === "string"
      ? { path: join(folder, `values-${randomUUID()}.yaml`), text: layer }
      : { path: join(folder, `values-${randomUUID()}.json`), text: JSON.stringify(layer) },
  );
  try {
    for (const { path, text } of made) await writeFile(path, text, { mode: 0o600, flag: "wx" });
    return await use(made.flatMap(({ path }) => ["-f", path]));
  } finally {
    await Promise.all(made.map(({ path }) => rm(path, { force: true })));
  }
}

const wanted = ">=3.17 <4, or >=4.1";

/** @throws Failure TOOL_UNSUITABLE for a line that is not supported */
export async function helmVersion(binary: string, env: Readonly<Record<string, string>>): Promise<string> {
  const result = await run(binary, { args: ["version", "--template", "{{.Version}}"], env, timeoutSeconds: 60 });
  const [, version = "", major = "", minor = ""] = /^v?((\d+)\.(\d+)\.\S+)$/.exec(result.stdout.trim()) ?? [];
  const suitable = major === "3" ? Number(minor) >= 17 : Number(major) > 4 || (major === "4" && Number(minor) >= 1);
  if (suitable) return version;
  const seen = version === "" ? sanitize(result.stdout || result.stderr, 100) : version;
  throw new Failure("TOOL_UNSUITABLE", { tool: binary, version: seen, wanted });
}

export function templateFlags({ kubeVersion }: HelmSource, { includeCrds }: TemplateOptions): readonly string[] {
  return [
    ...(includeCrds ? ["--include-crds"] : []),
    ...(kubeVersion === undefined ? [] : ["--kube-version", kubeVersion]),
  ];
}

/** What a chart would make on other clusters than the one that `helm template` pretends. */
export class OtherClusters {
  /** A chart is asked once: learning renders it some thirty times. */
  readonly #flags = new Map<string, readonly (readonly string[])[]>();

  /** What `render` makes, and after it what it makes with other flags, as far as that is not there in the same words. */
  async rendered(chart: string, render: (flags: readonly string[]) => Promise<string>): Promise<string> {
    const text = await render([]);
    const all = this.#flags.get(chart) ?? (await readClusterFlags(await readFile(chart), chart));
    this.#flags.set(chart, all);
    const seen = new Set(documentsOf(text));
    const added: string[] = [];
    for (const flags of all) {
      // What a chart refuses to be rendered for, nobody will install there.
      const other = await render(flags).catch((error: unknown) => {
        if (!isFailure(error, "HELM_FAILED")) throw error;
        return "";
      });
      added.push(...documentsOf(other).filter((document) => !seen.has(document) && seen.add(document)));
    }
    return [text, ...added].join("\n---\n");
  }
}

function documentsOf(text: string): readonly string[] {
  return text.split(/^---[ \t]*$/m).map((document) => document.trim());
}
