import { resolve } from "node:path";
import { catalogueOf, type Language } from "../ui/language.ts";
import { commands as allCommands } from "./commands/table.ts";
import type { Output } from "./context.ts";
import { flagsOfAll, globalFlags, groupsOf, positionalsOf, type Command } from "./define.ts";
import { ExitCode } from "./exit-code.ts";

/** One word that could stand next, and what it means, in the user's language. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

export interface Completing {
  /** What stands before the word that is being typed, without the program's own name. */
  readonly before: readonly string[];
  /** The word that is being typed; may be empty. */
  readonly current: string;
  readonly commands: readonly Command[];
  readonly language: Language;
  /** Names of plugins, asked for only where one is wanted: of the bundle on the line when there is one. */
  readonly pluginNames: (bundle: string | undefined) => Promise<readonly string[]>;
}

/** A person waits for the key that he pressed. */
const patience = 2000;

/**
 * Asked by the shells' scripts with the words behind the program's name, of which the last one is being typed.
 * Exit code 1 says "file names are wanted". Nothing is said on stderr: it would stand in the middle of what is typed.
 */
export async function answerShell(
  words: readonly string[],
  language: Language,
  { stdout, cwd }: { readonly stdout: Output; readonly cwd: () => string },
): Promise<ExitCode> {
  const found = await candidates({
    before: words.slice(0, -1),
    current: words.at(-1) ?? "",
    commands: allCommands,
    language,
    pluginNames: async (bundle) => (bundle === undefined ? [] : pluginNamesIn(resolve(cwd(), bundle))),
  }).catch(() => undefined);
  for (const { word, about } of found ?? []) stdout.write(about === "" ? `${word}\n` : `${word}\t${about}\n`);
  return found === undefined ? ExitCode.failed : ExitCode.done;
}

async function pluginNamesIn(path: string): Promise<readonly string[]> {
  const [{ openSource }, { openBundle }] = await Promise.all([
    import("../edge/disk/open-source.ts"),
    import("../stages/bundle/open.ts"),
  ]);
  await using bundle = await openBundle(await openSource(path), { signal: AbortSignal.timeout(patience) });
  return bundle.document.items.filter(({ kind }) => kind === "plugin").map(({ name }) => name);
}

/** `undefined` where the shell's own completion of file names is the right one. */
export async function candidates(completing: Completing): Promise<readonly Candidate[] | undefined> {
  const found = await everything(completing);
  return found?.filter(({ word }) => word.startsWith(completing.current));
}

async function everything(completing: Completing): Promise<readonly Candidate[] | undefined> {
  const { current, commands, language } = completing;
  // `help build` is completed as `build`.
  const before = completing.before[0] === "help" ? completing.before.slice(1) : completing.before;
  const { command, words } = commandOn(before, commands);
  const [, joined] = /^(--[^=]+)=/.exec(current) ?? [];
  const wanting = flagThatWants(joined ?? before.at(-1) ?? "", command, commands);
  if (joined !== undefined) {
    const values = wanting === undefined ? [] : await valuesOf(wanting, command, words, completing);
    return values?.map(({ word, about }) => ({ word: `${joined}=${word}`, about }));
  }
  if (wanting !== undefined) return valuesOf(wanting, command, words, completing);
  if (current.startsWith("-")) return flagsOf(command, language);
  return command === undefined ? nextCommands(words, commands, language) : positionalValues(command, words, language);
}

function flagsOf(command: Command | undefined, language: Language): readonly Candidate[] {
  const { flags } = catalogueOf(language);
  return [...Object.keys(command?.flags ?? {}), ...globalFlags]
    .filter((name) => command === undefined || !isPositional(command, name))
    .map((name) => ({ word: `--${name}`, about: name in flags ? flags[name as keyof typeof flags] : "" }));
}

async function positionalValues(
  command: Command,
  words: readonly string[],
  language: Language,
): Promise<readonly Candidate[] | undefined> {
  const positional = positionalsOf(command)[words.length];
  if (positional === "code") {
    const { explanations } = await import("../ui/explain.ts");
    return explanations(language).map(({ code }) => ({ word: code, about: "" }));
  }
  const choices =
    positional === undefined ? undefined : command.flags[positional as keyof typeof command.flags]?.choices;
  return choices?.map((choice) => ({ word: String(choice), about: "" }));
}

function nextCommands(
  words: readonly string[],
  commands: readonly Command[],
  language: Language,
): readonly Candidate[] {
  const about = catalogueOf(language).commands;
  const [group] = words;
  if (group !== undefined)
    return commands
      .filter(({ name }) => name.startsWith(`${group} `))
      .map(({ name }) => ({ word: name.slice(group.length + 1), about: about[name].about }));
  return groupsOf(commands).map(({ word, named }) => ({ word, about: about[named].about }));
}

async function valuesOf(
  flag: string,
  command: Command | undefined,
  words: readonly string[],
  { commands, pluginNames }: Completing,
): Promise<readonly Candidate[] | undefined> {
  const choices = flagsOfAll(command === undefined ? commands : [command]).get(flag)?.choices;
  if (choices !== undefined) return choices.map((choice) => ({ word: String(choice), about: "" }));
  if (flag !== "name" || command?.name.startsWith("plugins ") !== true) return undefined;
  return (await pluginNames(words[0])).map((word) => ({ word, about: "" }));
}

/** The command on the line, and the words behind it that are neither flags nor values of flags. */
function commandOn(before: readonly string[], commands: readonly Command[]) {
  const words: string[] = [];
  for (const [at, word] of before.entries())
    if (!word.startsWith("-") && flagThatWants(before[at - 1] ?? "", undefined, commands) === undefined)
      words.push(word);
  for (const length of [2, 1]) {
    const command = commands.find(({ name }) => name === words.slice(0, length).join(" "));
    if (command !== undefined) return { command, words: words.slice(length) };
  }
  return { command: undefined, words };
}

function flagThatWants(word: string, command: Command | undefined, commands: readonly Command[]): string | undefined {
  if (!word.startsWith("--") || word.includes("=")) return undefined;
  const name = word.slice(2);
  const option = flagsOfAll(command === undefined ? commands : [command]).get(name);
  return option?.type === "string" ? name : undefined;
}

function isPositional(command: Command, name: string): boolean {
  return positionalsOf(command).includes(name);
}
