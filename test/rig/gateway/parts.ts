import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** 1.36 is what Higress 2.2 is built on; 1.40 offers the calls of WASI that real Higress plugins import. */
export type EnvoyVersion = "1.36.4" | "1.40.0";

/** Who sends gateways their configuration: a program of ours, or Istio's pilot-discovery, which only the nightly suite needs. */
export type Plane = "ours" | "pilot";

export const planned = (): Plane => (process.env["HIGRESS_AIRGAP_TEST_CONTROL_PLANE"] === "pilot" ? "pilot" : "ours");

const pathOf = (script: string, ...args: readonly string[]): string =>
  execFileSync("/bin/sh", [fileURLToPath(new URL(script, import.meta.url)), ...args, "--path"], {
    encoding: "utf8",
  }).trim();

export const envoyBinary = (version: EnvoyVersion): string => pathOf("fetch-envoy.sh", version);

export const pilotBinary = (): string => pathOf("build-pilot.sh");

/** Of the Istio agent, its fetcher and our control plane, which are one program. */
export const gatewayProgram = (): string => join(pathOf("build.sh"), "gateway");

/** What the agent makes Envoy's bootstrap from. */
export const bootstrapTemplate = (): string => join(pathOf("build.sh"), "envoy_bootstrap.json");

/** Why the agent's fetcher cannot be asked on this machine, or undefined when it can. */
export function fetcherUnavailable(): string | undefined {
  const program = gatewayProgram();
  return existsSync(program) ? undefined : `there is no ${program}: run test/rig/gateway/build.sh`;
}

/** Why Envoy cannot be started alone on this machine, or undefined when it can. */
export function envoyUnavailable(version: EnvoyVersion): string | undefined {
  const envoy = envoyBinary(version);
  return existsSync(envoy) ? undefined : `there is no ${envoy}: run test/rig/gateway/fetch-envoy.sh ${version}`;
}

/** Why no gateway can be started on this machine, or undefined when one can. */
export function gatewayUnavailable(version: EnvoyVersion = "1.36.4"): string | undefined {
  return fetcherUnavailable() ?? envoyUnavailable(version) ?? pilotUnavailable() ?? namespacesUnavailable();
}

/** Why the suite that runs has not the control plane that it asks for. */
function pilotUnavailable(): string | undefined {
  const binary = pilotBinary();
  if (planned() === "ours" || existsSync(binary)) return undefined;
  return `there is no ${binary}: run test/rig/gateway/build-pilot.sh`;
}

/** A container that forbids namespaces says so here, and not in the middle of a test. */
function namespacesUnavailable(): string | undefined {
  const { status, stderr, error } = spawnSync("unshare", ["-mnpi", "--fork", "true"], { encoding: "utf8" });
  if (status === 0) return undefined;
  return `no namespaces of our own here: ${(error?.message ?? stderr).trim()}`;
}
