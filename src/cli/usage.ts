import { nearest } from "../std/nearest.ts";
import { fill } from "../ui/fill.ts";
import type { Language } from "../ui/language.ts";
import { usageWords } from "../ui/messages/parser-words.ts";
import { flagsOfAll, globalFlags, positionalsOf, type Command } from "./define.ts";

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
  const { words, flags, values, valueless } = typed(argv, commands);
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
  const given = words.slice(command.name.split(" ").length);
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
  const positionals = positionalsOf(command).map((name, at) => [name, given[at] ?? ""] as const);
  const wrong = wrongValue(command, [...values, ...positionals.filter(([, value]) => value !== "")]);
  if (wrong !== undefined) {
    const { flag, value, choices } = wrong;
    const name = positionalsOf(command).includes(flag) ? `<${flag}>` : `--${flag}`;
    const what = fill(say.wrongValue, { name, value, choices: choices.join(", ") });
    return suggest(what, nearest(value, choices));
  }
  const missing = missingPositional(command, given.length) ?? missingFlag(command, flags);
  return missing === undefined ? message : fill(say.missing, { command: command.name, name: missing });
}

interface Typed {
  /** What is not a flag and not the value of one: command and positionals. */
  readonly words: readonly string[];
  readonly flags: readonly string[];
  /** Flags with the values that were given to them. */
  readonly values: readonly (readonly [flag: string, value: string])[];
  /** A flag at the end that still wants its value. */
  readonly valueless: string | undefined;
}

function typed(argv: readonly string[], commands: readonly Command[]): Typed {
  const takesValue = valueFlags(commands);
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const words: string[] = [];
  const flags: string[] = [];
  const values: [string, string][] = [];
  let wants: string | undefined;
  for (const word of argv.slice(0, end)) {
    const [, flag, equals, value = ""] = /^--([a-z][a-z-]*)(?:(=)(.*)|$)/s.exec(word) ?? [];
    if (flag !== undefined) {
      if (wants !== undefined) return { words, flags, values, valueless: wants };
      flags.push(flag);
      wants = equals === undefined && takesValue.has(flag) ? flag : undefined;
      if (equals !== undefined) values.push([flag, value]);
    } else if (wants !== undefined) {
      values.push([wants, word]);
      wants = undefined;
    } else if (!word.startsWith("-")) words.push(word);
  }
  return { words: [...words, ...argv.slice(end + 1)], flags, values, valueless: wants };
}

/** The first value that its flag does not allow. */
function wrongValue(command: Command, values: Typed["values"]) {
  const known = flagsOfAll([command]);
  for (const [flag, value] of values) {
    const choices = known.get(flag)?.choices?.map(String);
    if (choices !== undefined && !choices.includes(value)) return { flag, value, choices };
  }
  return undefined;
}

function valueFlags(commands: readonly Command[]): ReadonlySet<string> {
  return new Set([...flagsOfAll(commands)].filter(([, { type }]) => type === "string").map(([name]) => name));
}

function missingPositional(command: Command, given: number): string | undefined {
  return [...command.positionals.matchAll(/<[a-z-]+>/g)].map(([name]) => name)[given];
}

function missingFlag({ flags, positionals }: Command, given: readonly string[]): string | undefined {
  const missing = Object.entries(flags).find(
    ([name, { demandOption }]) =>
      demandOption === true && !given.includes(name) && !new RegExp(`[<[]${name}[>\\]]`).test(positionals),
  );
  return missing === undefined ? undefined : `--${missing[0]}`;
}

function topLevel(commands: readonly Command[]): ReadonlySet<string> {
  return new Set([...commands.map(({ name }) => name.split(" ")[0] ?? ""), "help", "version"]);
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
