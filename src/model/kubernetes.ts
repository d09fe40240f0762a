/** What every Kubernetes document has; the rest is read by whoever knows its kind. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [member: string]: unknown;
}

interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly [member: string]: unknown;
}

/** One kind of objects: `resource` is the plural with its group, `deployments.apps`; several are joined by commas. */
export interface KubeQuery {
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly allNamespaces?: boolean | undefined;
  readonly selector?: string | undefined;
  /** Who set which field; large, and so left out unless asked for. */
  readonly managedFields?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One object by name. */
export interface KubeRef {
  readonly resource: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Take fields over that others have set. Off: a field that somebody changed is reported as CLUSTER_CONFLICT. */
  readonly force?: boolean | undefined;
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * RFC 6902, narrowed to what may stand in an argument list: kubectl takes patches nowhere else, and plugin
 * configurations hold API keys. A value is a URL, a name or a switch; what is larger moves inside the object.
 */
export type PatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: string | boolean | number }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move"; readonly from: string; readonly path: string };

export interface LogQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Lines from the end, at most. */
  readonly tail: number;
  /** Only what was said in the last so many seconds, by the clock of the node. */
  readonly since?: number | undefined;
  /** Of the run before the present one. */
  readonly previous?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A command in a container that is there, by its own image. */
export interface ExecQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface PatchOptions {
  readonly fieldManager: string;
  readonly signal?: AbortSignal | undefined;
}

/** A cluster, as far as stages use it: each takes what it needs of this. kubectl is one, the memory of a test another. */
export interface ClusterPort {
  /** `undefined`: not there, or of a kind that this cluster does not know. */
  get<T>(ref: KubeRef, signal?: AbortSignal): Promise<T | undefined>;
  /** Empty when this cluster does not know the kind. */
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  /** Server-side, as one call. @throws Failure CLUSTER_CONFLICT when a field belongs to somebody else */
  apply(documents: readonly KubeObject[] | string, options: ApplyOptions): Promise<void>;
  /** All operations or none: a `test` that does not hold leaves the object as it is, and answers false. */
  patch(ref: KubeRef, operations: readonly PatchOperation[], options: PatchOptions): Promise<boolean>;
  /** Deleting what is not there is success. Does not wait for finalizers. */
  delete(ref: KubeRef, signal?: AbortSignal): Promise<void>;
  established(crds: readonly string[], seconds: number, signal?: AbortSignal): Promise<void>;
  /** `undefined`: this container has no such log (yet). */
  logs(query: LogQuery): Promise<string | undefined>;
  /** `undefined`: it may not be asked, or there is nobody to ask. */
  exec(query: ExecQuery): Promise<ExecResult | undefined>;
  /** Which of these objects the cluster has. It must know their kinds; their namespace need not exist. */
  present(documents: string, options: Pick<ApplyOptions, "namespace" | "signal">): Promise<readonly KubeObject[]>;
  /** What server-side apply would make of them, by the API server's own reckoning. Nothing is changed. */
  dryRun(documents: string, options: ApplyOptions): Promise<readonly KubeObject[]>;
  /** An API path as it answers, for instance a pod's metrics through the API server's proxy; `undefined` when it does not. */
  raw(path: string, signal?: AbortSignal): Promise<string | undefined>;
  /** URL of the API server: equal for equal addresses, however they are written. `undefined`: nothing names it. */
  address(signal?: AbortSignal): Promise<string | undefined>;
  version(signal?: AbortSignal): Promise<{ readonly client: string; readonly server: string }>;
  /** Answers in the order of the questions, in one call however many they are. */
  mayI(permissions: readonly Permission[], signal?: AbortSignal): Promise<readonly boolean[]>;
}

/** Reading and changing objects. */
export type ObjectsPort = Pick<ClusterPort, "get" | "list" | "apply" | "patch" | "delete">;

/** One question of `auth can-i`. `group` is empty for the core API. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
}

/** The name under which everything that we set is ours (managedFields), and the label by which people see it. */
export const fieldManager = "higress-airgap";
export const managedBy = { "app.kubernetes.io/managed-by": "higress-airgap" } as const;

/** `deployments.apps` of `apps/v1 Deployment`. The plural rules cover every kind that Kubernetes and Istio have. */
export function resourceOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  const group = groupOf(apiVersion);
  return group === "" ? pluralOf(kind) : `${pluralOf(kind)}.${group}`;
}

export function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/**
 * Groups that an API server has of itself, though an older one may lack the newest of them; all others come with CRDs, also those
 * that Kubernetes' own projects name so. https://kubernetes.io/docs/reference/kubernetes-api/
 */
const builtIn =
  /^(|apps|batch|autoscaling|policy|(?!(gateway|inference|(group)?snapshot\.storage|policy\.networking)\.)[a-z]+(\.[a-z]+)?\.k8s\.io)$/;

export function isBuiltInGroup(group: string): boolean {
  return builtIn.test(group);
}

export function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name === "endpoints") return name;
  if (/(s|x|ch|sh)$/.test(name)) return `${name}es`;
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return `${name}s`;
}

/** `namespace/name` where there is a namespace: how people name an object. */
export function nameOf({ metadata }: { readonly metadata: Pick<KubeMetadata, "name" | "namespace"> }): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

const units: ReadonlyMap<string, number> = new Map([
  ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((unit, at) => [unit, 1024 ** (at + 1)] as const),
  ...["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].map((unit, at) => [unit, 1000 ** (at - 3)] as const),
]);

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/; 0 for what is none. */
export function parseQuantity(value: unknown): number {
  if (typeof value === "number") return value;
  const [, amount, unit = ""] =
    /^(\d{1,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,2})?)([A-Za-z]{0,2})$/.exec(typeof value === "string" ? value : "") ??
    [];
  return amount === undefined ? 0 : Number(amount) * (units.get(unit) ?? 0);
}
