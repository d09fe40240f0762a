import { yamlText } from "./quote.ts";

/** Where each variable belongs in the chart (facts: higress §2.1, §2.2, §0.7). */
const places: Readonly<Record<string, readonly string[]>> = {
  HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN: ["higress-console", "podEnvs"],
  MCP_SERVER_WASM_IMAGE_URL: ["higress-core", "controller", "env"],
  WASM_INSECURE_REGISTRIES: ["higress-core", "gateway", "env"],
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
