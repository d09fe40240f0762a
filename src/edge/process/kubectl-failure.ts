import { Failure } from "../../model/failure.ts";
import type { KubeObject } from "../../model/kubernetes.ts";
import { sanitize } from "../../model/sanitize.ts";

/** What kubectl 1.31 to 1.36 were seen to print; the exit code is 1 for all of these. */
const unreachable =
  /Unable to connect to the server|The connection to the server .{0,200} was refused|no configuration has been provided|context was not found|context ".{0,200}" does not exist|couldn't get current server API group list|net\/http: request canceled|Client\.Timeout exceeded/;
const forbidden =
  /\(Forbidden\)|is forbidden:|\(Unauthorized\)|You must be logged in to the server|asked for the client to provide credentials/;
const conflict = /Apply failed with \d{1,6} conflict/;
const absent =
  /\(NotFound\)|the server doesn't have a resource type|the server could not find the requested resource|no matches for kind/;

interface KubectlOutcome {
  /** What was tried, in kubectl's own words and without anything secret: `apply`, `get pods`. */
  readonly action: string;
  readonly exitCode: number;
  readonly stderr: string;
  /** Texts that went to stdin as secrets, and so must not come back in an answer. */
  readonly secrets?: readonly string[] | undefined;
}

/** @returns the failure that an operator can act on: no server, no right, somebody else's field, or kubectl's words. */
export function kubectlFailure({ action, exitCode, stderr, secrets = [] }: KubectlOutcome): Failure {
  const output = outputOf(stderr, secrets);
  if (forbidden.test(stderr)) return new Failure("CLUSTER_FORBIDDEN", { action, output });
  if (conflict.test(stderr)) return new Failure("CLUSTER_CONFLICT", { what: action, output: conflictOf(output) });
  if (unreachable.test(stderr)) return new Failure("CLUSTER_UNREACHABLE", { action, output });
  return new Failure("KUBECTL_FAILED", { action, exit: String(exitCode), output });
}

/** The object is not there, or the cluster does not know its kind: for a reader both mean "none". */
export function isAbsent(stderr: string): boolean {
  return absent.test(stderr) && !forbidden.test(stderr);
}

/** klog lines repeat the last line five times over; the plain ones say it once. */
function outputOf(stderr: string, secrets: readonly string[]): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const plain = lines.filter((line) => !/^[EWI]\d{4} \d\d:/.test(line) && !/^WARNING: version difference/.test(line));
  const text = (plain.length > 0 ? plain : lines).join("\n");
  return sanitize(secrets.reduce((kept, secret) => kept.replaceAll(secret, "***"), text));
}

/** kubectl's advice after a conflict is about flags that our users do not have. */
function conflictOf(output: string): string {
  return output.replace(/ ?Please review the fields above--.*$/, "");
}

/** Shorter texts would blank out half of any message, and are no secrets. */
const shortest = 4;

/**
 * Every text that Secrets among `documents` hold: encoded, decoded, and what stands inside of decoded JSON (a
 * docker config.json). For blanking them out of whatever a server answers.
 */
export function secretValues(documents: readonly KubeObject[]): readonly string[] {
  const found = new Set<string>();
  for (const document of documents.filter(({ kind }) => kind === "Secret")) {
    for (const value of stringsIn(document["data"])) {
      found.add(value);
      addDecoded(found, Buffer.from(value, "base64").toString("utf8"));
    }
    for (const value of stringsIn(document["stringData"])) addDecoded(found, value);
  }
  return [...found].filter((text) => text.length >= shortest).sort((a, b) => b.length - a.length);
}

function addDecoded(found: Set<string>, text: string): void {
  found.add(text);
  try {
    for (const value of stringsIn(JSON.parse(text))) found.add(value);
  } catch {
    // Not JSON: the text as a whole is the secret.
  }
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
