import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { aTempDirectory } from "../temp-directory.ts";
import { envoyBinary, type EnvoyVersion } from "./parts.ts";

export interface EnvoyVerdict {
  readonly loads: boolean;
  /** What it printed, without times. */
  readonly lines: readonly string[];
}

/**
 * Whether Envoy itself makes a filter of this module and this configuration: it loads, starts and configures it.
 * @param hangMs after this it hangs; a busy machine takes seconds to compile a module of some MiB
 */
export async function envoyLoads(
  module: Uint8Array,
  config: string,
  version: EnvoyVersion,
  hangMs = 60_000,
): Promise<EnvoyVerdict> {
  await using folder = await aTempDirectory();
  const [wasm, bootstrap] = [join(folder.path, "plugin.wasm"), join(folder.path, "envoy.json")];
  await writeFile(wasm, module);
  await writeFile(bootstrap, JSON.stringify(bootstrapWith(wasm, config)));
  const options = ["--mode", "validate", "--use-dynamic-base-id", "--concurrency", "1", "-l", "error"];
  const child = spawn(envoyBinary(version), [...options, "-c", bootstrap], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), hangMs);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { loads: code === 0, lines: text.split("\n").map((line) => line.replace(/^\[.{0,80}\] \[.{0,120}?\] /, "")) };
}

function bootstrapWith(filename: string, config: string): object {
  const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
  const plugin = {
    "@type": type("filters.http.wasm.v3.Wasm"),
    config: {
      name: "higress-system.plugin",
      failure_policy: "FAIL_CLOSED",
      vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { filename } } },
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: config },
    },
  };
  const manager = {
    "@type": type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "in",
    route_config: {},
    http_filters: [
      { name: "plugin", typed_config: plugin },
      { name: "router", typed_config: { "@type": type("filters.http.router.v3.Router") } },
    ],
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: 0 } };
  const chain = { filters: [{ name: "http", typed_config: manager }] };
  return { static_resources: { listeners: [{ name: "l", address, filter_chains: [chain] }] } };
}
