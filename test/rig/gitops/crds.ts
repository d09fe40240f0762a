import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder with the CRDs of Argo CD and Flux. */
export function gitopsCrds(): string {
  const script = fileURLToPath(new URL("fetch.sh", import.meta.url));
  return execFileSync("/bin/sh", [script, "--path"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** Why they are not there, or undefined when they are; for skipping with a reason. */
export function gitopsCrdsUnavailable(): string | undefined {
  return existsSync(gitopsCrds())
    ? undefined
    : "the CRDs of Argo CD and Flux are not here: run test/rig/gitops/fetch.sh";
}
