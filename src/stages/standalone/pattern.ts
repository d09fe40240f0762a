import { finding, type Finding } from "../../model/finding.ts";
import { urlPatternProblems } from "../../model/url-pattern.ts";

/** Names that mean the container itself when they are used inside of one. */
const loopback = /^(localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])$/i;

/** Where the all-in-one image serves plugins to itself: there, and only there, `localhost` is right. */
const builtInServer = "localhost:8002";
export const builtInPattern = `http://${builtInServer}/plugins/\${name}/\${version}/plugin.wasm`;

/** With what no container can reach besides what no console can use. */
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
