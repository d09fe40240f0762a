import { Failure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import type { RunResult } from "./run.ts";

/** Of client-go, which helm hands on: no answer from the API server itself, unlike one that a webhook lacks. */
const unreachable =
  /Kubernetes cluster unreachable|[A-Z][a-z]{2,5} "https?:\/\/[^"]{1,500}": (?:dial tcp|EOF|unexpected EOF|read tcp|write tcp|http2: |net\/http: |context deadline exceeded)/;

/**
 * What helm's stderr says about who can help. The sentences were seen on 3.17.3, 4.1.4 and 4.2.3; whatever is not
 * recognised is HELM_FAILED with helm's own words.
 */
export function helmFailure(
  { action, release }: { readonly action: string; readonly release: string },
  result: RunResult,
): Failure {
  const output = sanitize(withoutNoise(result.stderr) || result.stdout, 2000);
  if (/another operation \(install\/upgrade\/rollback\) is in progress/.test(output))
    return new Failure("RELEASE_BUSY", { release, status: "pending" });
  if (/conflicts? with "/.test(output)) return new Failure("CLUSTER_CONFLICT", { what: action, output });
  if (/is forbidden: /.test(output)) return new Failure("CLUSTER_FORBIDDEN", { action: `helm ${action}`, output });
  if (unreachable.test(output) && !/failed calling webhook/.test(output))
    return new Failure("CLUSTER_UNREACHABLE", { action: `helm ${action}`, output });
  return new Failure("HELM_FAILED", { action, exit: String(result.exitCode), output });
}

/** Helm 4 logs on stderr too; a warning must not hide the error that follows it. */
function withoutNoise(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => !/^(level=(WARN|INFO|DEBUG)|WARNING:)/.test(line));
  return lines.join("\n").trim();
}
