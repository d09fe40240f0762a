import { visible } from "./width.ts";

/**
 * Fills `{holes}` with facts. A hole without a fact stays visible: it is a bug, and hiding it would hide the fact too.
 * `terms` names values of closed sets, by `fact.value`.
 */
export function fill(template: string, facts: object, terms: Readonly<Record<string, string>> = {}): string {
  const values = facts as Readonly<Record<string, unknown>>;
  return template.replace(/\{([a-zA-Z]+)\}/g, (hole, name: string) => {
    const value = values[name];
    const term = terms[`${name}.${String(value)}`];
    if (term !== undefined) return term;
    return typeof value === "string" || typeof value === "number" ? visible(String(value)) : hole;
  });
}
