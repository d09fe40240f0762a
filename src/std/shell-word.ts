/** One word of a POSIX shell. Inside single quotes nothing is special, `$` least of all. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Compose fills in `$…` in its own file and in `.env`; `$$` is a dollar (docs/facts/higress.md#console-url-pattern).
 */
export function composeText(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** A YAML scalar that is this text and nothing else: every JSON string is one. Helm needs no more. */
export function yamlText(text: string): string {
  return JSON.stringify(text);
}
