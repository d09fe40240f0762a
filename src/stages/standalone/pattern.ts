import { finding, type Finding } from "../../model/finding.ts";

/** Names that mean the container itself when they are used inside of one. */
const loopback = /^(localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])$/i;

/** Where the all-in-one image serves plugins to itself: there, and only there, `localhost` is right. */
export const builtInServer = "localhost:8002";
export const builtInPattern = `http://${builtInServer}/plugins/\${name}/\${version}/plugin.wasm`;

/**
 * The console replaces `${name}` and `${version}` and checks nothing: with a fixed URL every plugin is the same module,
 * and what it does not know stays in the URL as it is (facts: higress §2.1).
 */
export function checkPattern(pattern: string): readonly Finding[] {
  const wrong = [...problems(pattern)].map((why) => finding("error", "plugin.pattern", { pattern, why }));
  const host = hostOf(pattern);
  const unreachable = host !== undefined && pattern !== builtInPattern && loopback.test(host.replace(/:\d+$/, ""));
  return unreachable ? [...wrong, finding("error", "plugin.url-loopback", { pattern, host })] : wrong;
}

function* problems(pattern: string): Generator<string> {
  if (!pattern.includes("${name}")) yield "no ${name}";
  for (const [variable] of pattern.matchAll(/\$(\{[^}]*\}?|\w*)/g))
    if (variable !== "${name}" && variable !== "${version}") yield variable;
  if (/[\s\u0000-\u001f\u007f]/.test(pattern)) yield "white space";
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(pattern)?.[1];
  if (scheme !== undefined && !["http", "https", "oci", "file"].includes(scheme.toLowerCase())) yield `${scheme}://`;
}

function hostOf(pattern: string): string | undefined {
  return /^(?:https?|oci):\/\/(?:[^/@]*@)?([^/?#]+)/i.exec(pattern)?.[1];
}

export function fillPattern(pattern: string, plugin: { readonly name: string; readonly version: string }): string {
  return pattern.replaceAll("${name}", plugin.name).replaceAll("${version}", plugin.version);
}
