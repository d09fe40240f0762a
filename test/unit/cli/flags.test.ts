import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../../src/cli/commands/table.ts";
import { flagNames } from "../../../src/ui/messages/vocabulary.ts";

/** A file of cli/ and all of cli/ that it uses. */
function sourcesFrom(path: string, seen = new Map<string, string>()): ReadonlyMap<string, string> {
  if (seen.has(path)) return seen;
  const text = readFileSync(path, "utf8");
  seen.set(path, text);
  for (const [, to = ""] of text.matchAll(/from "(\.[^"]+)"/g)) {
    const next = posix.join(posix.dirname(path), to);
    if (next.startsWith("src/cli/") && !next.endsWith("/table.ts")) sourcesFrom(next, seen);
  }
  return seen;
}

describe("the flags of the commands", () => {
  it.each(commands)("$name reads every one that it takes", ({ name, flags }) => {
    const file = `src/cli/commands/${name.replace(" ", "-")}.ts`;
    const sources = [...sourcesFrom(file).values()].join("\n");
    expect(sources.length).toBeGreaterThan(500);
    expect(Object.keys(flags).filter((flag) => !sources.includes(`"${flag}"`))).toEqual([]);
  });

  it("are all taken by a command: a name that none takes is left over", () => {
    const global = ["output", "lang", "verbose"];
    const taken = new Set([...global, ...commands.flatMap(({ flags }) => Object.keys(flags))]);
    expect(flagNames.filter((name) => !taken.has(name))).toEqual([]);
  });
});
