import { finding, type Finding } from "../../model/finding.ts";

/**
 * What is wrong with a custom URL pattern. The console takes any text and replaces `${name}` and `${version}`, so a
 * mistake shows only when each plugin that is switched on turns out to be the same module, or none.
 */
export function checkPattern(pattern: string): readonly Finding[] {
  return reasons(pattern).map((why) => finding("error", "plugin.pattern", { pattern: pattern.slice(0, 300), why }));
}

function reasons(pattern: string): readonly string[] {
  if (pattern.trim() === "") return ["empty"];
  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/s.exec(pattern) ?? [];
  const variables = [...pattern.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] ?? "");
  const unknown = variables.filter((name) => name !== "name" && name !== "version");
  const wrong: readonly (readonly [boolean, string])[] = [
    [!variables.includes("name"), "no ${name}"],
    ...unknown.map((name): [boolean, string] => [true, `unknown \${${name.slice(0, 40)}}`]),
    // What is left when a shell or Compose took the variable away.
    [rest.includes("//"), "empty path segment"],
    // And when the escape for it was taken literally.
    [/\\\$|\$\$/.test(pattern), "escaped $"],
    [/\s/.test(pattern.trim()), "blank"],
    [scheme !== undefined && !["oci", "http", "https", "file"].includes(scheme), `scheme ${scheme ?? ""}`],
  ];
  return wrong.filter(([holds]) => holds).map(([, why]) => why);
}

export type PatternPlace = "shell" | "compose" | "helm";

/** The pattern as it must be written so that `${name}` arrives: in a double-quoted shell word, a Compose file, or values. */
export function writePattern(pattern: string, place: PatternPlace): string {
  switch (place) {
    case "shell":
      return pattern.replace(/[\\"$`]/g, "\\$&");
    case "compose":
      return pattern.replaceAll("$", () => "$$");
    case "helm":
      return pattern;
  }
}
