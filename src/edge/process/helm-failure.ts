import { Failure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import type { RunResult } from "./run.ts";

export interface HelmOperation {
  readonly action: string;
  readonly release: string;
  readonly flags?: readonly string[];
}

/** Of client-go, which helm hands on: no answer from the API server itself, unlike one that a webhook lacks. */
const unreachable =
  /Kubernetes cluster unreachable|[A-Z][a-z]{2,5} "https?:\/\/[^"]{1,500}": (?:dial tcp|EOF|unexpected EOF|read tcp|write tcp|http2: |net\/http: |context deadline exceeded)/;

/**
 * What helm's stderr says about who can help. The sentences were seen on 3.17.3, 4.1.4 and 4.2.3; whatever is not
 * recognised is HELM_FAILED with helm's own words.
 */
export function helmFailure({ action, release, flags = [] }: HelmOperation, result: RunResult): Failure {
  const output = sanitize(withoutNoise(result.stderr) || result.stdout, 2000);
  if (/another operation \(install\/upgrade\/rollback\) is in progress/.test(output))
    return new Failure("RELEASE_BUSY", { release, namespace: namespaceIn(flags), status: "pending" });
  if (/conflicts? with "/.test(output))
    return new Failure("CLUSTER_CONFLICT", { what: conflicting(output, action), output });
  if (/is forbidden: /.test(output)) return new Failure("CLUSTER_FORBIDDEN", { action: `helm ${action}`, output });
  if (unreachable.test(output) && !/failed calling webhook/.test(output))
    return new Failure("CLUSTER_UNREACHABLE", { action: `helm ${action}`, output });
  // No cluster is asked by it: what it says is about the chart and the values here.
  const here = action === "template" ? { side: "host" as const } : {};
  return new Failure("HELM_FAILED", { action, exit: String(result.exitCode), output }, here);
}

/** What the fields belong to, which helm 4 names in the middle of its words. */
function conflicting(output: string, action: string): string {
  const [, name, kind] = /applying object (\S{1,500}) \S{1,200}, Kind=([A-Za-z]{1,100})/.exec(output) ?? [];
  return name === undefined || kind === undefined ? `helm ${action}` : `${kind} ${name}`;
}

/** Helm 4 logs on stderr too, and so does its klog; a warning must not hide the error that follows it. */
function withoutNoise(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => !/^(level=(WARN|INFO|DEBUG)|WARNING:|[IWE]\d{4} \d\d:)/.test(line));
  return lines.join("\n").trim();
}

function namespaceIn(flags: readonly string[]): string {
  return flags[flags.indexOf("-n") + 1] ?? "";
}
