import yargs, { type Argv } from "yargs";
import { Failure } from "../model/failure.ts";
import { catalogueOf, type Language } from "../ui/language.ts";
import { commands } from "./commands/table.ts";
import type { Context } from "./context.ts";
import { globalFlags, globalOptions, groupsOf, positionalsOf, type Command, type Flags } from "./define.ts";
import type { ExitCode } from "./exit-code.ts";
import { misuse } from "./usage.ts";
import { parserWords } from "../ui/messages/parser-words.ts";

export interface AppResult {
  readonly code: ExitCode | undefined;
  /** What yargs would have printed: help, version, completion. */
  readonly text: string;
}

/**
 * Parses argv and runs one command. Wrong use throws USAGE with yargs' own words.
 * The settings are the ones that keep tags and digests as they were typed: yargs would read `1.10` as 1.1.
 */
export async function runApp(
  typed: readonly string[],
  version: string,
  language: Language,
  context: (flags: Flags) => Context,
): Promise<AppResult> {
  const argv = asFlags(typed);
  const result: { code: ExitCode | undefined; text: string } = { code: undefined, text: "" };
  const parser = yargs()
    .scriptName("higress-airgap")
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "camel-case-expansion": false,
      "strip-dashed": false,
      // `install --skip push BUNDLE`: a flag that may be given again still takes one value at a time.
      "greedy-arrays": false,
    })
    .updateStrings(parserWords[language] as Record<string, string>)
    .version(version)
    .help()
    .alias("help", "h")
    .strict()
    .exitProcess(false)
    .fail((message: string | null, error: unknown) => {
      // Its own errors (`YError`) have a message too, which says less than we know.
      if (error instanceof Error && error.name !== "YError") throw error;
      throw new Failure("USAGE", { what: misuse({ argv, commands, message: message ?? "" }, language) });
    });
  // The parser puts by the help of every command that runs, for a failure that might show it, and `fail` above shows none:
  // to break the lines of that is half of what parsing costs.
  if (!argv.some((word) => /^-(?:h|-help)/.test(word))) parser.wrap(null);
  addGlobalFlags(parser, language);
  addCommands(parser, commands, language, async (command, flags) => {
    const given = context(flags);
    result.code = await (await command.load()).default(flags, given);
  });
  parser.demandCommand(1);
  await parser.parseAsync([...argv], {}, (_error, _argv, output) => {
    result.text = output;
  });
  return result;
}

/** `help build` is `build --help`, `version` is `--version`, and a bare call asks what there is. */
function asFlags(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === undefined) return ["--help"];
  // A command that there is none of must be refused, and with --help behind it nothing is.
  const known = rest.length === 0 || groupsOf(commands).some(({ word }) => word === rest[0]);
  if (first === "help") return known ? [...rest, "--help"] : rest;
  return first === "version" ? ["--version", ...rest] : argv;
}

function addGlobalFlags(parser: Argv, language: Language): void {
  const { flags } = catalogueOf(language);
  parser
    .option("lang", {
      ...globalOptions.lang,
      requiresArg: true,
      describe: flags.lang,
      global: true,
    })
    .option("output", {
      ...globalOptions.output,
      requiresArg: true,
      default: "auto",
      describe: flags.output,
      global: true,
    })
    .option("verbose", { ...globalOptions.verbose, describe: flags.verbose, global: true });
}

type Run = (command: Command, flags: Flags) => Promise<void>;

function addCommands(parser: Argv, table: readonly Command[], language: Language, run: Run): void {
  for (const { word, named } of groupsOf(table)) {
    const single = table.find(({ name }) => name === word);
    if (single !== undefined) addCommand(parser, single, word, language, run);
    else
      parser.command(word, catalogueOf(language).commands[named].about, (inner) => {
        for (const command of table.filter(({ name }) => name.startsWith(`${word} `)))
          addCommand(inner, command, command.name.slice(word.length + 1), language, run);
        return inner.demandCommand(1);
      });
  }
}

function addCommand(parser: Argv, command: Command, name: string, language: Language, run: Run): void {
  const words = catalogueOf(language);
  const { about, example } = words.commands[command.name];
  const positionals = new Set(positionalsOf(command));
  parser.command(
    `${name} ${command.positionals}`.trim(),
    about,
    (inner) => {
      for (const [flag, options] of Object.entries(command.flags)) {
        const describe = words.flags[flag as keyof typeof words.flags];
        if (positionals.has(flag)) inner.positional(flag, { ...options, type: "string", describe });
        else inner.option(flag, { ...options, describe, requiresArg: options.type === "string" });
      }
      // A command's own options stand above those that all have.
      const own = Object.keys(command.flags).filter((flag) => !positionals.has(flag));
      inner.group(own, parserWords[language]["Options:"] as string);
      inner.group([...globalFlags], parserWords[language]["Global options:"] as string);
      return inner.example(`$0 ${example}`, "");
    },
    async (flags) => run(command, flags as Flags),
  );
}
