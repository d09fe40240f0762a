import { nearest } from "../std/nearest.ts";
import { fill } from "../ui/fill.ts";
import type { Language } from "../ui/language.ts";
import { usageWords } from "../ui/messages/parser-words.ts";
import type { Command } from "./define.ts";

/** Flags that every command takes; `lang` and `output` want a value. */
export const globalFlags = ["lang", "output", "verbose", "help", "version"] as const;

export interface Misuse {
  readonly argv: readonly string[];
  readonly commands: readonly Command[];
  /** What the parser says; used where we know nothing better. */
  readonly message: string;
}

/** The mistake in a command line as a person would say it: which word, and what was probably meant. */
export function misuse({ argv, commands, message }: Misuse, language: Language): string {
  const say = usageWords[language];
  const suggest = (what: string, near: string | undefined): string =>
    near === undefined ? what : fill(say.near, { what, near });
  const { words, flags, valueless } = typed(argv, commands);
  const command = [...commands].sort(longestFirst).find(({ name }) => startsWith(words, name.split(" ")));
  if (command === undefined) {
    const [first, second] = words;
    const members = commands.filter(({ name }) => name.startsWith(`${first ?? ""} `)).map(({ name }) => name);
    if (first === undefined) return message;
    if (members.length === 0)
      return suggest(fill(say.unknownCommand, { name: first }), nearest(first, topLevel(commands)));
    const names = members.map((name) => name.slice(first.length + 1));
    return second === undefined
      ? fill(say.oneOf, { command: first, names: names.join(", ") })
      : suggest(fill(say.unknownCommand, { name: `${first} ${second}` }), withGroup(first, nearest(second, names)));
  }
  const known = [...Object.keys(command.flags), ...globalFlags];
  const unknown = flags.find((flag) => !known.includes(flag));
  if (unknown !== undefined) {
    const near = nearest(unknown, known);
    return suggest(
      fill(say.unknownFlag, { command: command.name, name: unknown }),
      near === undefined ? near : `--${near}`,
    );
  }
  if (valueless !== undefined) return fill(say.noValue, { name: valueless });
  const missing =
    missingPositional(command, words.length - command.name.split(" ").length) ?? missingFlag(command, flags);
  return missing === undefined ? message : fill(say.missing, { command: command.name, name: missing });
}

interface Typed {
  /** What is not a flag and not the value of one: command and positionals. */
  readonly words: readonly string[];
  readonly flags: readonly string[];
  /** A flag at the end that still wants its value. */
  readonly valueless: string | undefined;
}

function typed(argv: readonly string[], commands: readonly Command[]): Typed {
  const takesValue = valueFlags(commands);
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const words: string[] = [];
  const flags: string[] = [];
  let wants: string | undefined;
  for (const word of argv.slice(0, end)) {
    const [, flag, equals] = /^--([a-z][a-z-]*)(=|$)/.exec(word) ?? [];
    if (flag !== undefined) {
      if (wants !== undefined) return { words, flags, valueless: wants };
      flags.push(flag);
      wants = equals === "" && takesValue.has(flag) ? flag : undefined;
    } else if (wants !== undefined) wants = undefined;
    else if (!word.startsWith("-")) words.push(word);
  }
  return { words: [...words, ...argv.slice(end + 1)], flags, valueless: wants };
}

function valueFlags(commands: readonly Command[]): ReadonlySet<string> {
  const flags = commands.flatMap((command) => Object.entries(command.flags));
  return new Set(["lang", "output", ...flags.filter(([, { type }]) => type === "string").map(([name]) => name)]);
}

function missingPositional(command: Command, given: number): string | undefined {
  return [...command.positionals.matchAll(/<[a-z-]+>/g)].map(([name]) => name)[Math.max(0, given)];
}

function missingFlag({ flags, positionals }: Command, given: readonly string[]): string | undefined {
  const missing = Object.entries(flags).find(
    ([name, { demandOption }]) =>
      demandOption === true && !given.includes(name) && !new RegExp(`[<[]${name}[>\\]]`).test(positionals),
  );
  return missing === undefined ? undefined : `--${missing[0]}`;
}

function topLevel(commands: readonly Command[]): ReadonlySet<string> {
  return new Set([...commands.map(({ name }) => name.split(" ")[0] ?? ""), "completion"]);
}

function withGroup(group: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : `${group} ${name}`;
}

function startsWith(words: readonly string[], name: readonly string[]): boolean {
  return name.every((part, at) => words[at] === part);
}

function longestFirst(a: Command, b: Command): number {
  return b.name.length - a.name.length;
}
