import { finding, type Finding } from "../../model/finding.ts";
import { urlPatternVariable, urlPatternProblems } from "../../model/url-pattern.ts";
import { yamlText } from "../../std/shell-word.ts";

export interface KitPlugin {
  readonly name: string;
  /** `info.version`, or the tag: what stands in its URL. */
  readonly version: string;
}

type PluginSource =
  /** Files beside run.sh, as `exportPluginTree` wrote them, laid over those of the image. */
  | { readonly from: "directory"; readonly directory: string }
  /** A server that the container reaches: `serve` on this host, an nginx, a registry (`oci://`). */
  | { readonly from: "url"; readonly pattern: string };

export interface EnvironmentInput {
  readonly plugins: PluginSource;
  readonly carried: readonly KitPlugin[];
  /** PEM file that the gateway trusts besides the roots of its image. */
  readonly caFile?: string | undefined;
}

interface Environment {
  readonly variables: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
}

/** The plugin behind every MCP server, whose URL the controller takes whole instead of as a pattern. */
const mcpServer = "mcp-server";
export const caDirectory = "/etc/ssl/higress-airgap";

/** Names and versions come out of a bundle and go into a script, paths and an environment file: one segment, or none. */
export function isCarriable({ name, version }: KitPlugin): boolean {
  return [name, version].every((text) => /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/.test(text));
}

/** What the all-in-one container must be told so that it asks nobody outside for a plugin. */
export function environmentOf(input: EnvironmentInput): Environment {
  const { plugins, carried, caFile } = input;
  const pattern = plugins.from === "directory" ? builtInPattern : plugins.pattern;
  const findings = [...checkPattern(pattern)];
  const variables = new Map([[urlPatternVariable, pattern]]);
  const mcp = carried.filter(isCarriable).find(({ name }) => name === mcpServer);
  const mcpVariable = "MCP_SERVER_WASM_IMAGE_URL";
  if (mcp === undefined)
    findings.push(finding("warning", "plugin.not-carried", { plugin: mcpServer, reference: mcpVariable }));
  else variables.set(mcpVariable, fillPattern(pattern, mcp));
  // Go replaces its list of directories by this one, so the image's own must stay in it.
  if (caFile !== undefined) variables.set("SSL_CERT_DIR", `/etc/ssl/certs:${caDirectory}`);
  return { variables, findings };
}

/** Where each variable belongs in the chart (docs/facts/higress.md#mesh-config-does-not-reach-the-gateway). */
const places: Readonly<Record<string, readonly string[]>> = {
  HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN: ["higress-console", "podEnvs"],
  MCP_SERVER_WASM_IMAGE_URL: ["higress-core", "controller", "env"],
};

/** Values that point an installed release at the same plugins. */
export function helmValues(variables: ReadonlyMap<string, string>): string {
  const lines: string[] = [];
  let open: readonly string[] = [];
  for (const [name, place] of Object.entries(places)) {
    const value = variables.get(name);
    if (value === undefined) continue;
    const shared = place.findIndex((key, depth) => key !== open[depth]);
    for (const [depth, key] of place.entries()) if (depth >= shared) lines.push(`${"  ".repeat(depth)}${key}:`);
    lines.push(`${"  ".repeat(place.length)}${name}: ${yamlText(value)}`);
    open = place;
  }
  return `${lines.join("\n")}\n`;
}

/** Names that mean the container itself when they are used inside of one. */
const loopback = /^(localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])$/i;

/** Where the all-in-one image serves plugins to itself: there, and only there, `localhost` is right. */
const builtInServer = "localhost:8002";
export const builtInPattern = `http://${builtInServer}/plugins/\${name}/\${version}/plugin.wasm`;

/** What no console can make a URL of, and hosts that mean the container itself. */
export function checkPattern(pattern: string): readonly Finding[] {
  const wrong = urlPatternProblems(pattern).map((why) => finding("error", "plugin.pattern", { pattern, why }));
  const host = hostOf(pattern);
  const unreachable = host !== undefined && pattern !== builtInPattern && loopback.test(host.replace(/:\d+$/, ""));
  return unreachable ? [...wrong, finding("error", "plugin.url-loopback", { pattern, host })] : wrong;
}

function hostOf(pattern: string): string | undefined {
  return /^(?:https?|oci):\/\/(?:[^/@]*@)?([^/?#]+)/i.exec(pattern)?.[1];
}

export function fillPattern(pattern: string, plugin: { readonly name: string; readonly version: string }): string {
  return pattern.replaceAll("${name}", plugin.name).replaceAll("${version}", plugin.version);
}
