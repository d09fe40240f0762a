import type { Options } from "yargs";
import { Failure } from "../model/failure.ts";
import { parsePlatform, printPlatform, type Platform } from "../model/platform.ts";
import type { CommandName, FlagName } from "../ui/messages/vocabulary.ts";
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit-code.ts";

/** Flags as they come from the command line: text, truth, or several texts. Numbers are parsed by us, not guessed. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface Command {
  readonly name: CommandName;
  /** Positionals in yargs' notation: `<bundle>`, `[name]`. */
  readonly positionals: string;
  readonly flags: Readonly<Partial<Record<FlagName, Options>>>;
  /** Loaded when it runs, so that `--help` and `--version` start at once. */
  readonly load: () => Promise<{ readonly default: (flags: Flags, context: Context) => Promise<ExitCode> }>;
}

/** Names of the positionals, in their order. */
export function positionalsOf({ positionals }: Command): readonly string[] {
  return [...positionals.matchAll(/[<[]([a-z-]+)/g)].map(([, name = ""]) => name);
}

/** Flags that every command takes, as the parser is told of them. */
export const globalOptions = {
  lang: { type: "string", choices: ["en", "zh"] },
  output: { type: "string", choices: ["auto", "plain", "json"] },
  verbose: { type: "boolean" },
  help: { type: "boolean" },
  version: { type: "boolean" },
} as const satisfies Readonly<Record<string, Options>>;

export const globalFlags: readonly string[] = Object.keys(globalOptions);

/** Every flag of these commands, and those that all have. */
export function flagsOfAll(commands: readonly Command[]): ReadonlyMap<string, Options> {
  return new Map<string, Options>([
    ...Object.entries(globalOptions),
    ...commands.flatMap(({ flags }) => Object.entries(flags)),
  ]);
}

/** First words of the command line, in the table's order: a command, or the name of a group with the words that tell of it. */
export function groupsOf(
  commands: readonly Command[],
): readonly { readonly word: string; readonly named: CommandName }[] {
  const groups = new Map<string, Command[]>();
  for (const command of commands) {
    const [word = ""] = command.name.split(" ");
    groups.set(word, [...(groups.get(word) ?? []), command]);
  }
  return [...groups].map(([word, members]) => ({
    word,
    named: members.length > 1 ? (word as CommandName) : (members[0]?.name ?? (word as CommandName)),
  }));
}

export function text(flags: Flags, name: FlagName): string | undefined {
  const value = flags[name];
  // yargs makes an array of a scalar option that was given twice.
  if (Array.isArray(value)) throw new Failure("USAGE", { what: `--${name}`, wrong: "twice" });
  // `--out ""` is a variable that was not set, and would mean the folder that we are in.
  if (value === "") throw new Failure("USAGE", { what: `--${name}`, wrong: "empty" });
  return typeof value === "string" ? value : undefined;
}

export function required(flags: Flags, name: FlagName): string {
  const value = text(flags, name);
  if (value === undefined) throw new Failure("USAGE", { what: `--${name}`, wrong: "needed" });
  return value;
}

export function texts(flags: Flags, name: FlagName): readonly string[] {
  const value = flags[name];
  if (value === undefined || typeof value === "boolean") return [];
  return typeof value === "string" ? [value] : value;
}

export function truth(flags: Flags, name: FlagName): boolean {
  return flags[name] === true;
}

/** @throws Failure USAGE unless it is a whole number from `from` to `to` */
export function wholeNumber(flags: Flags, name: FlagName, from: number, to: number): number | undefined {
  const value = text(flags, name);
  if (value === undefined) return undefined;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (!(number >= from && number <= to))
    throw new Failure("USAGE", { what: `--${name} ${value}`, wrong: "allowed", wanted: `${from}..${to}` });
  return number;
}

/** What is written for one host is of this machine's kind, unless it is told. @throws Failure USAGE */
export function onePlatform(flags: Flags): Platform {
  const [asked, ...more] = texts(flags, "platform");
  const own = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
  const platform = asked === undefined ? own : parsePlatform(asked);
  if (platform === undefined || more.length > 0)
    throw new Failure("USAGE", {
      what: `--platform ${[asked, ...more].join(" ")}`,
      wrong: "form",
      wanted: `--platform ${printPlatform(own)}`,
    });
  return platform;
}
