/** Why a TLS connection was not made, or is not trusted; each has a sentence and a remedy of its own. */
export type TlsFault =
  | "unknown-ca"
  | "missing-intermediate"
  | "expired"
  | "not-yet-valid"
  | "wrong-name"
  | "no-san"
  | "old-protocol"
  | "plain-http"
  | "client-certificate"
  | "handshake";

/** Why a registry that knows us says no; each has a remedy of its own. */
export type DeniedBecause = "quota" | "read-only" | "proxy" | "other";

/** By Harbor's own sentence: its code is DENIED for all of them. */
export function deniedBecause(answer: string): DeniedBecause {
  if (/\bquota\b|configured upper limit/.test(answer)) return "quota";
  if (/read[ _]only/.test(answer)) return "read-only";
  return answer.includes("proxy project") ? "proxy" : "other";
}

/** Why what answers to the name of an image is none that a node could run; each has a remedy of its own. */
export type ImageFault = "schema 1" | "artifact" | "index in index";

/** What is wrong with a command line whose words are all known. */
export type CommandLineFault =
  | "needed"
  | "empty"
  | "twice"
  | "allowed"
  | "form"
  | "with"
  | "apart"
  | "either"
  | "plugin-needed"
  | "plugin-unknown"
  | "plugin-near";

/** Where the trouble is. An operator asks this first: my stick, my Harbor, my cluster, or the far end? */
export type Side = "source" | "bundle" | "target" | "cluster" | "host" | "usage";

/**
 * Every failure that a user can act on: its code (permanent, documented by `explain CODE`) and the facts that its
 * sentence is made of. The sentences live in `ui/messages/`, one catalogue per language, complete by the compiler.
 */
export interface FailureFacts {
  /** `what` was typed, and `wanted` is what may be; without `wrong`, `what` is a sentence of its own. */
  USAGE: { what: string; wrong?: CommandLineFault; wanted?: string };
  CONFIG_INVALID: { file: string; problems: string };
  FILE_MISSING: { path: string };
  FILE_UNREADABLE: { path: string; reason: string };
  FILE_ENCODING: { path: string; encoding: string };
  FILE_UNWRITABLE: { path: string; reason: string };
  /** A pipe, a device, a socket: what has no end, no size, or nothing to replace. */
  FILE_KIND: { path: string };
  FILE_EXISTS: { path: string };
  OPEN_FILES: { reason: string };
  OUTPUT_LOST: { reason: string };
  FILE_BUSY: { path: string; by: string };
  DISK_FULL: { path: string; wanted: string; free: string };
  REFERENCE_INVALID: { value: string; why: string };
  MANIFEST_INVALID: { what: string; why: string };
  ARCHIVE_INVALID: { what: string; why: string };
  CONTENT_MISMATCH: { what: string; wanted: string; got: string };
  CONTENT_MISSING: { what: string; where: string };
  BUNDLE_MALFORMED: { path: string; where: string; why: string };
  BUNDLE_VERSION: { path: string; version: string; known: string };
  BUNDLE_UNSIGNED: { path: string };
  PROGRAM_UNTRUSTED: { program: string; why: string };
  SIGNATURE_WRONG: { path: string; key: string };
  KEY_UNUSABLE: { path: string; why: string };
  VOLUME_UNUSABLE: { volume: string; why: string };
  DELTA_BASE_MISSING: { missing: number; base: string; examples: string };
  CREDENTIALS_UNUSABLE: { where: string; why: string };
  REGISTRY_UNREACHABLE: { host: string; action: string; reason: string };
  REGISTRY_TLS: { host: string; fault: TlsFault; reason: string };
  REGISTRY_UNAUTHORIZED: { host: string; action: string; as: string; answer: string };
  REGISTRY_LOGIN_WRONG: { host: string; as: string; answer: string };
  REGISTRY_TOKEN_REFUSED: { host: string; action: string; as: string; why: string };
  REGISTRY_DENIED: { host: string; action: string; answer: string; because: DeniedBecause };
  REGISTRY_NOT_FOUND: { host: string; action: string; answer: string };
  REGISTRY_REFUSED: { host: string; action: string; status: number; answer: string };
  REGISTRY_BUSY: { host: string; action: string; status: number; answer: string };
  REGISTRY_PROTOCOL: { host: string; action: string; why: string };
  REGISTRY_STALLED: { host: string; action: string; seconds: number };
  ROBOT_IMPOSSIBLE: { host: string };
  PLATFORM_MISSING: { reference: string; platform: string; has: string };
  IMAGE_UNUSABLE: { image: string; why: ImageFault };
  CHART_UNUSABLE: { chart: string; why: string };
  CHART_VALUE_WANTED: { chart: string; path: string; says: string };
  CHART_INCOMPLETE: { chart: string; missing: string };
  SITE_VALUE_REFUSED: { chart: string; values: string; says: string };
  PLUGIN_UNUSABLE: { plugin: string; why: string };
  PLUGIN_ABSENT: { plugins: string; namespace: string; there: string };
  NAME_COLLISION: { target: string; first: string; second: string };
  TOOL_MISSING: { tool: string; looked: string };
  TOOL_UNSUITABLE: { tool: string; version: string; wanted: string };
  HELM_FAILED: { action: string; exit: string; output: string };
  KUBECTL_FAILED: { action: string; exit: string; output: string };
  CLUSTER_UNREACHABLE: { action: string; output: string };
  CLUSTER_FORBIDDEN: { action: string; output: string };
  CLUSTER_CONFLICT: { what: string; output: string };
  RELEASE_BUSY: { release: string; namespace: string; status: string };
  ROLLOUT_STUCK: { workload: string; seconds: number; why: string };
  REVISION_GONE: { release: string; revision: number };
  RECEIPT_MISSING: { release: string; namespace: string; where: string };
  RELEASE_ADOPTED: { releases: string; namespace: string; charts: string; revisions: string };
  NOT_CONFIRMED: { command: string };
  SERVER_UNUSABLE: { address: string; reason: string };
  FINDINGS: { count: number };
  INTERRUPTED: { left: string };
}

export type FailureCode = keyof FailureFacts;

interface FailureOptions {
  readonly side?: Side | undefined;
  readonly cause?: unknown;
}

const defaultSide: Readonly<Record<FailureCode, Side>> = {
  USAGE: "usage",
  CONFIG_INVALID: "usage",
  FILE_MISSING: "host",
  FILE_UNREADABLE: "host",
  FILE_ENCODING: "host",
  FILE_UNWRITABLE: "host",
  FILE_KIND: "host",
  FILE_EXISTS: "host",
  OPEN_FILES: "host",
  OUTPUT_LOST: "host",
  FILE_BUSY: "host",
  DISK_FULL: "host",
  REFERENCE_INVALID: "usage",
  MANIFEST_INVALID: "source",
  ARCHIVE_INVALID: "source",
  CONTENT_MISMATCH: "source",
  CONTENT_MISSING: "source",
  BUNDLE_MALFORMED: "bundle",
  BUNDLE_VERSION: "bundle",
  BUNDLE_UNSIGNED: "bundle",
  PROGRAM_UNTRUSTED: "bundle",
  SIGNATURE_WRONG: "bundle",
  KEY_UNUSABLE: "host",
  VOLUME_UNUSABLE: "bundle",
  DELTA_BASE_MISSING: "target",
  CREDENTIALS_UNUSABLE: "host",
  REGISTRY_UNREACHABLE: "source",
  REGISTRY_TLS: "source",
  REGISTRY_UNAUTHORIZED: "source",
  REGISTRY_LOGIN_WRONG: "source",
  REGISTRY_TOKEN_REFUSED: "source",
  REGISTRY_DENIED: "source",
  REGISTRY_NOT_FOUND: "source",
  REGISTRY_REFUSED: "source",
  REGISTRY_BUSY: "source",
  REGISTRY_PROTOCOL: "source",
  REGISTRY_STALLED: "source",
  ROBOT_IMPOSSIBLE: "target",
  PLATFORM_MISSING: "source",
  IMAGE_UNUSABLE: "source",
  CHART_UNUSABLE: "source",
  CHART_VALUE_WANTED: "usage",
  CHART_INCOMPLETE: "source",
  SITE_VALUE_REFUSED: "usage",
  PLUGIN_UNUSABLE: "source",
  PLUGIN_ABSENT: "cluster",
  NAME_COLLISION: "target",
  TOOL_MISSING: "host",
  TOOL_UNSUITABLE: "host",
  HELM_FAILED: "cluster",
  KUBECTL_FAILED: "cluster",
  CLUSTER_UNREACHABLE: "cluster",
  CLUSTER_FORBIDDEN: "cluster",
  CLUSTER_CONFLICT: "cluster",
  RELEASE_BUSY: "cluster",
  ROLLOUT_STUCK: "cluster",
  REVISION_GONE: "cluster",
  RECEIPT_MISSING: "host",
  RELEASE_ADOPTED: "cluster",
  NOT_CONFIRMED: "usage",
  SERVER_UNUSABLE: "host",
  FINDINGS: "bundle",
  INTERRUPTED: "host",
};

export const failureCodes = Object.keys(defaultSide) as readonly FailureCode[];

/** A problem the user can act on. Anything else that is thrown is a bug in this program, and is shown as one. */
export class Failure<C extends FailureCode = FailureCode> extends Error {
  readonly code: C;
  readonly facts: FailureFacts[C];
  readonly side: Side;

  constructor(code: C, facts: FailureFacts[C], options: FailureOptions = {}) {
    // The message is for stack traces; people read the catalogue's sentence.
    super(`${code} ${JSON.stringify(facts)}`, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "Failure";
    this.code = code;
    this.facts = facts;
    this.side = options.side ?? defaultSide[code];
  }
}

/** For a finding, in a few words: the code, and what whoever was asked has said. */
export function failureInBrief({ code, facts }: Failure): string {
  const all = facts as Readonly<Record<string, unknown>>;
  const said = ["status", "answer", "reason", "why", "got"].map((name) => all[name]);
  return [code, ...said.filter((each) => each !== undefined && each !== "").map(String)].join(" ").slice(0, 300);
}

/** Who may not look is told why, and what does not need the answer goes on. */
export async function unlessForbidden<T>(
  asked: Promise<T>,
): Promise<{ readonly answer: T } | { readonly why: string }> {
  try {
    return { answer: await asked };
  } catch (error) {
    if (!isFailure(error, "CLUSTER_FORBIDDEN")) throw error;
    return { why: error.facts.output };
  }
}

/** With no codes: any failure of ours. */
export function isFailure<C extends FailureCode = FailureCode>(
  error: unknown,
  ...codes: readonly C[]
): error is Failure<C> {
  if (!(error instanceof Failure)) return false;
  const code: string = (error as Failure).code;
  return codes.length === 0 || codes.some((wanted) => wanted === code);
}
