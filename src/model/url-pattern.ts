/** Where the console is told a URL for every plugin, since console 2.1.0. */
export const urlPatternVariable = "HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN";

/**
 * What is wrong with a URL pattern. The console replaces `${name}` and `${version}` and checks nothing: with a fixed URL
 * every plugin is the same module, and what it does not know stays in the URL as it is
 * (docs/facts/higress.md#console-url-pattern).
 */
export function urlPatternProblems(pattern: string): readonly string[] {
  return [...problems(pattern)];
}

function* problems(pattern: string): Generator<string> {
  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(pattern) ?? [];
  if (!pattern.includes("${name}")) yield "no ${name}";
  for (const [variable] of pattern.matchAll(/\\?\$(\{[^}]*\}?|\w*)/g))
    if (variable !== "${name}" && variable !== "${version}") yield variable.slice(0, 60);
  // What is left when a shell or Compose took the variable away.
  if (rest.replace(/^\/+/, "").includes("//")) yield "//";
  if (/[\s\u0000-\u001f\u007f]/.test(pattern)) yield "white space";
  if (scheme !== undefined && !["http", "https", "oci", "file"].includes(scheme.toLowerCase())) yield `${scheme}://`;
}
