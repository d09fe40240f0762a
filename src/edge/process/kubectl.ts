import { access, constants } from "node:fs/promises";
import { Failure } from "../../model/failure.ts";
import type { ClusterPort, KubeObject, KubeQuery, KubeRef, Permission } from "../../model/kubernetes.ts";
import { systemClock } from "../../std/clock.ts";
import { clusterAddress } from "./kubectl-address.ts";
import { isAbsent, kubectlFailure, secretValues } from "./kubectl-failure.ts";
import { run, type RunResult } from "./run.ts";

/** The cluster as kubectl shows it. Every method throws Failure CLUSTER_UNREACHABLE, CLUSTER_FORBIDDEN or KUBECTL_FAILED. */
export interface Kubectl extends ClusterPort {
  restart(ref: KubeRef, signal?: AbortSignal): Promise<void>;
}

export interface KubectlOptions {
  /** The whole environment of the child: that of the user, which exec credentials need, without passwords of ours. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** One call waits this long at most for the API server; a dead one is then reported in seconds, not minutes. */
const requestSeconds = 15;
const execSeconds = 4;
const logBytes = 32 * 1024 ** 2;

/** Whatever stands in the cluster or was written by others comes behind `--` or `=`: no name of theirs is an option of kubectl. */
type Call = (args: readonly string[], options?: CallOptions) => Promise<RunResult>;
interface CallOptions {
  readonly input?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Longer than the request timeout, for the commands that wait by themselves. */
  readonly seconds?: number | undefined;
}

/** @throws Failure TOOL_MISSING when `binary` cannot be run */
export async function openKubectl(binary: string, options: KubectlOptions): Promise<Kubectl> {
  await access(binary, constants.X_OK).catch((error: unknown) => {
    throw new Failure("TOOL_MISSING", { tool: "kubectl", looked: binary }, { cause: error });
  });
  const everywhere = [
    ...(options.kubeconfig === undefined ? [] : [`--kubeconfig=${options.kubeconfig}`]),
    ...(options.context === undefined ? [] : [`--context=${options.context}`]),
  ];
  const env = { ...nowhereToKeep(options.env), ...options.env };
  const call: Call = async (args, { input, signal, seconds = requestSeconds } = {}) =>
    run(binary, {
      args: [...everywhere, `--request-timeout=${seconds}s`, ...args],
      env,
      input,
      signal,
      timeoutSeconds: seconds * 4,
      killAfterSeconds: 5,
    });
  return {
    ...reading(call),
    address: async (signal) => {
      const view = ["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"];
      return clusterAddress(await call(view, { signal }), options.env);
    },
    ...writing(call),
    ...watching(call),
  };
}

/**
 * What kubectl has discovered it keeps below $HOME, and where there is none below the folder that it is started in: a
 * `.kube` on the stick. Where it cannot keep it, it asks again (genericclioptions, KUBECACHEDIR; kubectl 1.31 to 1.36).
 */
function nowhereToKeep({ HOME = "" }: KubectlOptions["env"]): KubectlOptions["env"] {
  return HOME === "" ? { KUBECACHEDIR: "/dev/null/none" } : {};
}

function reading(call: Call): Pick<Kubectl, "version" | "get" | "list" | "present" | "mayI" | "raw"> {
  return {
    async version(signal) {
      const result = succeeded("version", await call(["version", "-o", "json"], { signal }));
      const found = JSON.parse(result.stdout) as Record<string, { gitVersion?: string } | undefined>;
      const of = (side: string): string => found[side]?.gitVersion ?? "";
      return { client: of("clientVersion"), server: of("serverVersion") };
    },
    async get<T>({ resource, name, namespace }: KubeRef, signal?: AbortSignal) {
      const action = `get ${resource} ${name}`;
      const args = ["get", ...inNamespace(namespace), "-o", "json", "--", resource, name];
      const result = await call(args, { signal });
      if (result.exitCode !== 0 && isAbsent(result.stderr)) return undefined;
      return JSON.parse(succeeded(action, result).stdout) as T;
    },
    list: (query) => listed(call, query),
    async present(documents, { namespace, signal }) {
      const args = ["get", ...inNamespace(namespace), "--ignore-not-found", "-o", "json", "-f", "-"];
      return objectsIn(succeeded("get", await call(args, { input: asYaml(documents), signal, seconds: 60 })).stdout);
    },
    async mayI(permissions, signal) {
      if (permissions.length === 0) return [];
      const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: permissions.map(accessReview) });
      const args = ["create", "--validate=false", "-f", "-", "-o", 'jsonpath={.status.allowed}{"\\n"}'];
      const result = succeeded("auth can-i", await call(args, { input, signal }));
      const answers = result.stdout.trim().split("\n");
      return permissions.map((_, at) => answers[at] === "true");
    },
    async raw(path, signal) {
      const result = await call(["get", `--raw=${path}`], { signal });
      return result.exitCode === 0 ? result.stdout : undefined;
    },
  };
}

async function listed<T>(call: Call, query: KubeQuery): Promise<readonly T[]> {
  const { resource, namespace, allNamespaces, selector, managedFields, signal } = query;
  const action = `get ${resource}`;
  const args = ["get", ...(allNamespaces === true ? ["--all-namespaces"] : inNamespace(namespace))];
  if (selector !== undefined) args.push(`--selector=${selector}`);
  if (managedFields === true) args.push("--show-managed-fields");
  const result = await call([...args, "-o", "json", "--", resource], { signal });
  if (result.exitCode !== 0 && isAbsent(result.stderr)) {
    // One kind that is not known, and kubectl says nothing of the others.
    const each = resource.split(",");
    const answers = each.length === 1 ? [] : each.map((one) => listed<T>(call, { ...query, resource: one }));
    return (await Promise.all(answers)).flat();
  }
  return (JSON.parse(succeeded(action, result).stdout) as { items?: readonly T[] }).items ?? [];
}

function writing(call: Call): Pick<Kubectl, "apply" | "dryRun" | "patch" | "delete"> {
  const feed = (documents: readonly KubeObject[] | string): { input: string; secrets: readonly string[] } =>
    typeof documents === "string"
      ? { input: asYaml(documents), secrets: [] }
      : {
          input: JSON.stringify({ apiVersion: "v1", kind: "List", items: documents }),
          secrets: secretValues(documents),
        };
  return {
    async apply(documents, { fieldManager, force, namespace, signal }) {
      if (documents.length === 0) return;
      const { input, secrets } = feed(documents);
      // Server-side apply refuses unknown fields by itself; kubectl's own check would refuse an overlay, which is a part.
      const apply = ["apply", "--server-side", "--validate=false", `--field-manager=${fieldManager}`];
      const args = [...apply, ...inNamespace(namespace)];
      if (force === true) args.push("--force-conflicts");
      const result = await call([...args, "-f", "-"], { input, signal, seconds: 60 });
      succeeded(`apply ${subjectOf(documents)}`.trim(), result, secrets);
    },
    async patch({ resource, name, namespace }, operations, { fieldManager, signal }) {
      const args = ["patch", ...inNamespace(namespace), "--type=json"];
      const patch = ["-p", JSON.stringify(operations), `--field-manager=${fieldManager}`];
      const result = await call([...args, ...patch, "--", resource, name], { signal });
      // What a failed `test` looks like from 1.31 to 1.36; the API answers 422 without a reason of its own.
      if (result.exitCode !== 0 && /The request is invalid|\(Invalid\)/.test(result.stderr)) return false;
      succeeded(`patch ${resource} ${name}`, result);
      return true;
    },
    async delete({ resource, name, namespace }, signal) {
      const args = ["delete", ...inNamespace(namespace), "--wait=false", "--ignore-not-found", "--", resource, name];
      const result = await call(args, { signal });
      if (result.exitCode !== 0 && isAbsent(result.stderr)) return;
      succeeded(`delete ${resource} ${name}`, result);
    },
    async dryRun(documents, { fieldManager, force, namespace, signal }) {
      const apply = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=false",
        `--field-manager=${fieldManager}`,
      ];
      const args = [...apply, ...inNamespace(namespace), ...(force === true ? ["--force-conflicts"] : [])];
      const result = await call([...args, "-o", "json", "-f", "-"], { input: asYaml(documents), signal, seconds: 60 });
      return objectsIn(succeeded("apply --dry-run", result).stdout);
    },
  };
}

function watching(call: Call): Pick<Kubectl, "established" | "restart" | "logs" | "exec"> {
  return {
    async exec({ namespace, pod, container, command, signal }) {
      const args = ["exec", pod, "--container", container, ...inNamespace(namespace), "--", ...command];
      // A proxy that hangs does not answer its own admin port either.
      const { exitCode, stdout, stderr } = await call(args, { signal, seconds: execSeconds });
      // Only a command that ran leaves this line; everything else is kubectl's or the server's own failure.
      const ran = exitCode === 0 || /^command terminated with exit code \d{1,3}$/m.test(stderr);
      return ran ? { exitCode, stdout, stderr } : undefined;
    },
    async established(crds, seconds, signal) {
      if (crds.length === 0) return;
      const names = crds.map((name) => `customresourcedefinition.apiextensions.k8s.io/${name}`);
      const args = ["wait", "--for=condition=Established", `--timeout=${seconds}s`, "--", ...names];
      const until = Date.now() + seconds * 1000;
      let result = await call(args, { signal, seconds: seconds + requestSeconds });
      // A CRD of this moment has `conditions: null`, which kubectl 1.36 does not wait over but fails on.
      while (/conditions accessor error/.test(result.stderr) && Date.now() < until) {
        await systemClock.sleep(200, signal);
        result = await call(args, { signal, seconds: seconds + requestSeconds });
      }
      succeeded("wait for CRDs", result);
    },
    async restart({ resource, name, namespace }, signal) {
      const args = ["rollout", "restart", ...inNamespace(namespace), "--", `${resource}/${name}`];
      succeeded(`rollout restart ${resource}/${name}`, await call(args, { signal }));
    },
    async logs({ namespace, pod, container, tail, since, previous, signal }) {
      const args = ["logs", `--container=${container}`, ...inNamespace(namespace), `--tail=${tail}`];
      if (since !== undefined) args.push(`--since=${Math.max(1, Math.ceil(since))}s`);
      if (previous === true) args.push("--previous");
      const result = await call([...args, `--limit-bytes=${logBytes}`, "--", pod], { signal });
      if (result.exitCode === 0) return result.stdout;
      if (isAbsent(result.stderr) || /\(BadRequest\)|waiting to start|not found/.test(result.stderr)) return undefined;
      throw kubectlFailure({ action: `logs ${namespace}/${pod}`, ...result });
    },
  };
}

/** Text that begins with `{` is a stream of JSON to kubectl, in which `---` is a mistake. */
function asYaml(documents: string): string {
  return `---\n${documents}`;
}

/** One object is printed as it is, several in a list, none not at all. */
function objectsIn(stdout: string): readonly KubeObject[] {
  if (stdout.trim() === "") return [];
  const printed = JSON.parse(stdout) as KubeObject & { readonly items?: readonly KubeObject[] };
  return printed.kind === "List" ? (printed.items ?? []) : [printed];
}

function accessReview({ verb, group, resource, namespace }: Permission): object {
  const resourceAttributes = { verb, group, resource, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
}

function inNamespace(namespace: string | undefined): string[] {
  return namespace === undefined ? [] : [`--namespace=${namespace}`];
}

/** Names of what was applied, for the failure: a conflict without its object helps nobody. */
function subjectOf(documents: readonly KubeObject[] | string): string {
  if (typeof documents === "string") return "";
  const names = documents.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  return names.length <= 3 ? names.join(" ") : `${names.slice(0, 3).join(" ")} +${names.length - 3}`;
}

function succeeded(action: string, result: RunResult, secrets: readonly string[] = []): RunResult {
  if (result.exitCode !== 0) throw kubectlFailure({ action, ...result, secrets });
  return result;
}
