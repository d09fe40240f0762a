import { resolve } from "node:path";
import { Failure } from "../../model/failure.ts";
import type {
  AtRevision,
  HelmPort,
  HelmSource,
  ListedRelease,
  ReleaseChart,
  ReleaseInfo,
  ReleaseRevision,
  RollbackOptions,
  UpgradeOptions,
  Waits,
} from "../../model/helm.ts";
import type { Values } from "../../model/values.ts";
import {
  helmEnvironment,
  helmVersion,
  installedManifest,
  OtherClusters,
  parseHistory,
  parseMetadata,
  parseRelease,
  parseReleases,
  parseValues,
  revisionFlags,
  templateFlags,
  withValues,
  type HelmOptions,
} from "./helm-call.ts";
import { helmFailure, type HelmOperation } from "./helm-failure.ts";
import { withPostRenderer, type ProgramStart } from "./helm-post-renderer.ts";
import { run, timedOut, type RunResult } from "./run.ts";
import { temporaryFolder, type TemporaryFolder } from "../files/temporary.ts";

/** Disposing it removes what it wrote. */
export interface Helm extends HelmPort, AsyncDisposable {
  /** `3.17.3`. */
  readonly version: string;
}

/**
 * Starts helm once to see which it is. It gets folders of its own: the user's plugins, repositories and cache are
 * not read, and a Helm 4 plugin in them would keep Helm 3 from starting.
 * @throws Failure TOOL_MISSING, TOOL_UNSUITABLE
 */
export async function openHelm(binary: string, options: HelmOptions): Promise<Helm> {
  const folder = await temporaryFolder(options.workDirectory);
  try {
    const env = helmEnvironment(options, folder.path);
    const version = await helmVersion(binary, env);
    return new HelmProcess(binary, { env, folder, version, context: options.context, self: options.self });
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

interface HelmState {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: TemporaryFolder;
  readonly context: string | undefined;
  readonly version: string;
  readonly self: ProgramStart | undefined;
}

class HelmProcess implements Helm {
  readonly #binary: string;
  readonly #state: HelmState;
  readonly #elsewhere = new OtherClusters();

  constructor(binary: string, state: HelmState) {
    this.#binary = binary;
    this.#state = state;
  }

  get version(): string {
    return this.#state.version;
  }

  async template(source: HelmSource, options: Parameters<Helm["template"]>[1]): Promise<string> {
    const render = (more: readonly string[]): Promise<string> =>
      this.#withChart("template", ["template"], source, [...templateFlags(source, options), ...more], options);
    return options.anyCluster === true ? this.#elsewhere.rendered(source.chart, render) : render([]);
  }

  async dryRun(source: HelmSource, options: Waits = {}): Promise<{ manifest: string }> {
    const flags = ["--dry-run=server", ...this.#ownership(source), "-o", "json"];
    const text = await this.#withChart("dry-run", ["upgrade", "--install"], source, flags, options);
    return { manifest: installedManifest(text) };
  }

  async upgradeInstall(source: HelmSource, options: UpgradeOptions): Promise<ReleaseInfo> {
    const { release, namespace } = source;
    const { status = "" } = (await this.status(release, namespace, options)) ?? {};
    if (status.startsWith("pending-")) throw new Failure("RELEASE_BUSY", { release, namespace, status });
    const takeOver = options.takeOver === true && (await this.appliesOnServer(source, options));
    const more = [...(takeOver ? ["--force-conflicts"] : []), ...this.#ownership(source)];
    const flags = ["--timeout", `${options.timeoutSeconds}s`, ...more, "-o", "json"];
    return parseRelease(await this.#withChart("upgrade", ["upgrade", "--install"], source, flags, options));
  }

  async appliesOnServer({ release, namespace, takesOwnership }: HelmSource, { signal }: Waits = {}): Promise<boolean> {
    if (!this.#isFour || takesOwnership === true) return false;
    const found = await this.metadata(release, namespace, { signal });
    return found === undefined || found.isServerSide;
  }

  async status(release: string, namespace: string, options: Waits = {}): Promise<ReleaseInfo | undefined> {
    const found = await this.#find(
      { action: "status", release },
      ["status", "-n", namespace, "-o", "json"],
      [release],
      options,
    );
    return found === undefined ? undefined : parseRelease(found);
  }

  async metadata(release: string, namespace: string, options: AtRevision = {}): Promise<ReleaseChart | undefined> {
    const flags = ["get", "metadata", "-n", namespace, ...revisionFlags(options), "-o", "json"];
    const found = await this.#find({ action: "get metadata", release }, flags, [release], options);
    return found === undefined ? undefined : parseMetadata(found);
  }

  async values(release: string, namespace: string, options: AtRevision = {}): Promise<Values | undefined> {
    const flags = ["get", "values", "-n", namespace, ...revisionFlags(options), "-o", "json"];
    const found = await this.#find({ action: "get values", release }, flags, [release], options);
    return found === undefined ? undefined : parseValues(found);
  }

  async history(release: string, namespace: string, options: Waits = {}): Promise<readonly ReleaseRevision[]> {
    const flags = ["history", "-n", namespace, "-o", "json"];
    const found = await this.#find({ action: "history", release }, flags, [release], options);
    return found === undefined ? [] : parseHistory(found);
  }

  async list(options: Waits = {}): Promise<readonly ListedRelease[]> {
    // Helm 4 always shows all, and knows no such option any more. Without a number both give the first 256; 0 is no bound.
    const all = this.#isFour ? [] : ["--all"];
    const flags = ["list", "--all-namespaces", ...all, "--max", "0", "-o", "json"];
    return parseReleases(await this.#run({ action: "list", release: "" }, flags, [], options));
  }

  async rollback(release: string, namespace: string, revision: number, options: RollbackOptions = {}): Promise<void> {
    const { takeOver = false, signal } = options;
    // Helm 4 goes back in the way in which that revision was applied; where that was its own merge nothing conflicts.
    const target = takeOver && this.#isFour ? await this.metadata(release, namespace, { revision, signal }) : undefined;
    const flags = ["rollback", "-n", namespace, ...(target?.isServerSide === true ? ["--force-conflicts"] : [])];
    await this.#run({ action: "rollback", release }, flags, [release, String(revision)], { signal });
  }

  async uninstall(release: string, namespace: string, options: Waits = {}): Promise<void> {
    await this.#run({ action: "uninstall", release }, ["uninstall", "-n", namespace], [release], options);
  }

  getManifest(release: string, namespace: string, options: Waits = {}): Promise<string> {
    return this.#run({ action: "get manifest", release }, ["get", "manifest", "-n", namespace], [release], options);
  }

  getHooks(release: string, namespace: string, options: Waits = {}): Promise<string> {
    return this.#run({ action: "get hooks", release }, ["get", "hooks", "-n", namespace], [release], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#state.folder[Symbol.asyncDispose]();
  }

  /** Helm 4 applies on the server, where each field has its owner. */
  get #isFour(): boolean {
    return Number.parseInt(this.version, 10) >= 4;
  }

  /**
   * What kubectl applied has kubectl for the owner of its fields. Applied on the server, a field that a later chart
   * leaves out would stay for that owner's sake; merged by helm itself, as Helm 3 does, it goes. Later upgrades stay
   * with the way of the first one.
   */
  #ownership({ takesOwnership }: HelmSource): readonly string[] {
    if (takesOwnership !== true) return [];
    return ["--take-ownership", ...(this.#isFour ? ["--server-side=false"] : [])];
  }

  #withChart(
    action: string,
    command: readonly string[],
    source: HelmSource,
    flags: readonly string[],
    options: Waits,
  ): Promise<string> {
    const { release, namespace } = source;
    const names = [release, resolve(source.chart)];
    const { folder, ...state } = this.#state;
    return withValues(folder.path, source, (files) =>
      withPostRenderer({ ...state, folder: folder.path }, source.patches ?? [], (renderer) =>
        this.#run({ action, release }, [...command, "-n", namespace, ...flags, ...files, ...renderer], names, options),
      ),
    );
  }

  /** `undefined` when there is no such release. */
  async #find(
    what: HelmOperation,
    flags: readonly string[],
    names: readonly string[],
    options: Waits,
  ): Promise<string | undefined> {
    const result = await this.#start(flags, names, options);
    if (result.exitCode !== 0 && /release: not found/.test(result.stderr)) return undefined;
    if (result.exitCode !== 0) throw helmFailure({ ...what, flags }, result);
    return result.stdout;
  }

  async #run(what: HelmOperation, flags: readonly string[], names: readonly string[], options: Waits): Promise<string> {
    const result = await this.#start(flags, names, options);
    if (result.exitCode !== 0) throw await this.#blame({ ...what, flags }, result, options);
    return result.stdout;
  }

  /**
   * A helm that waits outlives an API server that went away, and then blames what it waited for: `resource Job/... not
   * ready` (seen on 4.1.4). Before that is believed, the API server is asked whether it is there.
   */
  async #blame(what: HelmOperation, result: RunResult, { signal }: Waits): Promise<Failure> {
    const failure = helmFailure(what, result);
    if (failure.code !== "HELM_FAILED" || !waiting.has(what.action)) return failure;
    const asked = await this.#start(["list", "--max", "1"], [], { signal }, answersWithin);
    if (asked.exitCode === 0) return failure;
    const answer = helmFailure({ ...what, action: "list" }, asked);
    if (answer.code !== "CLUSTER_UNREACHABLE" && asked.exitCode !== timedOut) return failure;
    const { output } = answer.facts as { output: string };
    return new Failure("CLUSTER_UNREACHABLE", { action: `helm ${what.action}`, output }, { cause: failure });
  }

  /** What others named stands behind `--`, where nothing is an option: `--post-renderer=/bin/sh` as a release ran it. */
  #start(
    flags: readonly string[],
    names: readonly string[],
    { signal }: Waits,
    timeoutSeconds?: number,
  ): Promise<RunResult> {
    const { context, env, folder } = this.#state;
    const scope = context === undefined ? [] : ["--kube-context", context];
    const args = [...flags, ...scope, "--", ...names];
    return run(this.#binary, { args, env, cwd: folder.path, signal, timeoutSeconds });
  }
}

const waiting: ReadonlySet<string> = new Set(["upgrade", "rollback", "uninstall"]);
/** Seconds: client-go gives a connection 30 of them. */
const answersWithin = 35;
