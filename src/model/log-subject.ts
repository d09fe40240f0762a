/** Envoy says what is wrong first and of which plugin after: within so many lines, seen in 1.27, 1.36 and 1.40. */
const linesToName = 3;
/** Behind a name, in plain logs and in those of `--log_as_json`. */
const behind = String.raw`(?::| failed|[\s,;"\\]|$)`;
const name = String.raw`([a-z0-9-]{1,63}\.[a-z0-9.-]{1,253}?)`;
const ofEnvoy = new RegExp(`(?:Plugin|Wasm (?:plugin|HTTP filter|Network filter)) ${name}${behind}`);
const ofAgent = /cannot fetch Wasm module ([^ ]{1,300}?):? /;
/** The agent writes between Envoy's lines, and its names are of its own lines: a fetch that failed is not the next trap. */
const saidByEnvoy = /\benvoy [a-z]|source\/(?:common|extensions)\//;
/** What a plugin itself logs names it, and says nothing of the lines before. */
const ofPlugin = new RegExp(`wasm log ${name}${behind}`);
/** The agent's reasons below a line that names the plugin. */
const ofTheLineBefore = /^\s+\* |^\. applying /;

/** Trouble, or a line that names a plugin: what is read here, and what comes before and after it. */
export function isTelling(line: string, read: (line: string) => unknown): boolean {
  return ofEnvoy.test(line) || ofAgent.test(line) || ofPlugin.test(line) || read(line) !== undefined;
}

export interface LineSubject {
  readonly by: "name" | "url";
  readonly text: string;
}

/** Of which plugin a line is, as the log names it. */
export function lineSubject(lines: readonly string[], at: number): LineSubject | undefined {
  const said = lines[at] ?? "";
  const logged = ofPlugin.exec(said)?.[1];
  if (logged !== undefined) return { by: "name", text: logged };
  const near = ofTheLineBefore.test(said)
    ? lines.slice(Math.max(0, at - linesToName), at).toReversed()
    : lines.slice(at, at + 1 + linesToName);
  for (const line of near) {
    const byEnvoy = ofEnvoy.exec(line)?.[1];
    if (byEnvoy !== undefined) return { by: "name", text: byEnvoy };
    if (line !== said && saidByEnvoy.test(said)) continue;
    const byAgent = ofAgent.exec(line)?.[1];
    if (byAgent !== undefined) return { by: "url", text: byAgent };
  }
  return undefined;
}
