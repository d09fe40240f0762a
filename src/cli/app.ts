import yargs, { type Argv } from "yargs";
import { Failure } from "../model/failure.ts";
import { catalogueOf, type Language } from "../ui/language.ts";
import { commands } from "./commands/table.ts";
import type { Context } from "./context.ts";
import type { Command, Flags } from "./define.ts";
import type { ExitCode } from "./exit-code.ts";
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
  argv: readonly string[],
  version: string,
  language: Language,
  context: (flags: Flags) => Context,
): Promise<AppResult> {
  const result: { code: ExitCode | undefined; text: string } = { code: undefined, text: "" };
  const parser = yargs()
    .scriptName("higress-airgap")
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "camel-case-expansion": false,
      "strip-dashed": false,
    })
    .updateStrings(parserWords[language] as Record<string, string>)
    .version(version)
    .help()
    .alias("help", "h")
    .strict()
    .recommendCommands()
    .exitProcess(false)
    .fail((message: string | null, error: unknown) => {
      // yargs passes a thrown error or its own message, never both.
      throw error instanceof Error ? error : new Failure("USAGE", { what: message ?? "" });
    });
  addGlobalFlags(parser, language);
  addCommands(parser, commands, language, async (command, flags) => {
    result.code = await (await command.load()).run(flags, context(flags));
  });
  parser.demandCommand(1);
  parser.completion("completion", catalogueOf(language).words.examples);
  await parser.parseAsync([...argv], {}, (_error, _argv, output) => {
    result.text = output;
  });
  return result;
}

function addGlobalFlags(parser: Argv, language: Language): void {
  const { flags } = catalogueOf(language);
  parser
    .option("lang", { type: "string", choices: ["en", "zh"], describe: flags.lang, global: true })
    .option("output", {
      type: "string",
      choices: ["auto", "plain", "json"],
      default: "auto",
      describe: flags.output,
      global: true,
    })
    .option("verbose", { type: "boolean", describe: flags.verbose, global: true });
}

type Run = (command: Command, flags: Flags) => Promise<void>;

function addCommands(parser: Argv, table: readonly Command[], language: Language, run: Run): void {
  const groups = new Map<string, Command[]>();
  for (const command of table) {
    const [group = "", sub] = command.name.split(" ");
    if (sub === undefined) addCommand(parser, command, command.name, language, run);
    else groups.set(group, [...(groups.get(group) ?? []), command]);
  }
  for (const [group, members] of groups) {
    const about = group === "plugins" ? catalogueOf(language).commands.plugins.about : "";
    parser.command(group, about, (inner) => {
      for (const command of members) addCommand(inner, command, command.name.split(" ")[1] ?? "", language, run);
      return inner.demandCommand(1);
    });
  }
}

function addCommand(parser: Argv, command: Command, name: string, language: Language, run: Run): void {
  const words = catalogueOf(language);
  const { about, example } = words.commands[command.name];
  const positionals = new Set([...command.positionals.matchAll(/[<[]([a-z-]+)/g)].map((match) => match[1]));
  parser.command(
    `${name} ${command.positionals}`.trim(),
    about,
    (inner) => {
      for (const [flag, options] of Object.entries(command.flags)) {
        const describe = words.flags[flag as keyof typeof words.flags];
        if (positionals.has(flag)) inner.positional(flag, { type: "string", describe });
        else inner.option(flag, { ...options, describe });
      }
      return inner.example(`$0 ${example}`, "");
    },
    async (flags) => run(command, flags as Flags),
  );
}
