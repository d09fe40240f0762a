import { readdirSync, readFileSync } from "node:fs";
import type { Options } from "yargs";
import { describe, expect, it } from "vitest";
import { runApp } from "../../src/cli/app.ts";
import { commands } from "../../src/cli/commands/table.ts";
import { globalOptions, positionalsOf, type Command } from "../../src/cli/define.ts";

/** Whatever tells people what to type: the words of the program, and the files that it writes or ships. */
const places = [
  ...readdirSync("src/ui", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `src/ui/${name}`),
  ...["manifests/higress/symptoms.yaml", "manifests/bundle/README.txt", "manifests/standalone/README.txt"],
];

interface Advised {
  readonly place: string;
  readonly words: string;
}

const names = commands.map(({ name }) => name).sort((a, b) => b.length - a.length);
/** A command with the program's name before it, a mark around it, or an option right behind it; else it is only a word. */
const advice = new RegExp(
  `(?:(?<named>higress-airgap |\\./install\\.sh |\`)(?<command>${names.join("|")})(?![\\w-])|(?<![\\w-])(?<bare>${names.join("|")})(?= --))(?<rest>(?: +(?:--[a-z-]+|[\\w.{}/:=-]+))*)`,
  "g",
);

function advisedIn(place: string): readonly Advised[] {
  return [...readFileSync(place, "utf8").replaceAll("\\`", "`").matchAll(advice)].map(({ groups = {} }) => ({
    place,
    words: `${groups["command"] ?? groups["bare"] ?? ""}${groups["rest"] ?? ""}`,
  }));
}

/** As it is named, with its value if that is one of a closed list; prose may stand behind any other. */
function optionOf({ flags }: Command, flag: string, next: string): readonly string[] {
  const known: Options | undefined = new Map<string, Options>(Object.entries({ ...globalOptions, ...flags })).get(flag);
  if (known?.type === "boolean") return [`--${flag}`];
  const choices = known?.choices?.map(String);
  const isValue = choices !== undefined && /^[\w-]+$/.test(next) && !next.startsWith("--");
  return [`--${flag}`, isValue ? next : (choices?.[0] ?? "x")];
}

/** The options of a mention; what else the command wants is made up. */
function lineOf(command: Command, rest: string): readonly string[] {
  const tokens = rest.trim().split(/[ =]+/);
  const given = tokens.filter((token) => token.startsWith("--"));
  const options = tokens.flatMap((token, at) =>
    token.startsWith("--") ? optionOf(command, token.slice(2), tokens[at + 1] ?? "") : [],
  );
  const required = Object.entries(command.flags)
    .filter(([flag, { demandOption }]) => demandOption === true && !positionalsOf(command).includes(flag))
    .flatMap(([flag]) => (given.includes(`--${flag}`) ? [] : [`--${flag}`, "x"]));
  const positionals = [...command.positionals.matchAll(/<[^>]+>/g)].map(() => "x");
  return [...command.name.split(" "), ...positionals, ...required, ...options];
}

// The parser accepts a command line when it goes on to run it, and asks for a context first.
const judged = (words: readonly string[]): Promise<string> =>
  runApp(words, "1.2.3", "en", () => {
    throw new Error("accepted");
  }).then(
    () => "help",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe("commands that sentences advise", () => {
  const advised = places.flatMap(advisedIn);

  it("are many, some with options, so that a green result means something", () => {
    expect(advised.length).toBeGreaterThan(100);
    expect(advised.filter(({ words }) => words.includes(" --")).length).toBeGreaterThan(40);
  });

  it("are taken by the program's own parser, with the options and the values that they name", async () => {
    // Most are advised in several places: the parser takes its time, and judges each line once.
    const lines = new Map<string, { readonly words: readonly string[]; readonly from: string }>();
    for (const { place, words } of advised) {
      const command = commands.find(({ name }) => words === name || words.startsWith(`${name} `));
      if (command === undefined) continue;
      const line = lineOf(command, words.slice(command.name.length));
      lines.set(line.join(" "), { words: line, from: `${place}: ${words}` });
    }
    expect(lines.size).toBeGreaterThan(20);
    const wrong: string[] = [];
    for (const { words, from } of lines.values()) {
      const said = await judged(words);
      if (said !== "accepted") wrong.push(`${from}: ${said}`);
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  it.each([
    ["build", "--sums md5"],
    ["verify", "--volume-size 4MiB"],
    ["preflight", "--existing keep"],
  ])("would not be, if it were %s %s", async (name, rest) => {
    const command = commands.find((each) => each.name === name);
    expect(await judged(lineOf(command!, rest))).not.toBe("accepted");
  });
});
