import { Failure, type FailureCode } from "../../model/failure.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { nearest } from "../../std/nearest.ts";
import { explanations, type Explanation } from "../../ui/explain.ts";
import { fill } from "../../ui/fill.ts";
import { catalogueOf, type Language } from "../../ui/language.ts";
import { usageWords } from "../../ui/messages/parser-words.ts";
import { table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { text, truth, type Flags } from "../define.ts";
import { ExitCode, exitCodeFor } from "../exit-code.ts";

/** One code in full, the codes that contain a word, or all of them and the exit codes. */
// eslint-disable-next-line @typescript-eslint/require-await -- commands are promises
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const asked = text(flags, "code");
  const all = explanations(context.language);
  const found = asked === undefined ? all : matching(asked, all, context.language);
  context.stdout.write(
    truth(flags, "json")
      ? canonicalJson(found.map((each) => ({ ...each, exitCode: exitOf(each) })))
      : asked === undefined
        ? overview(all, context.language)
        : found.map((each) => full(each, context.language)).join("\n"),
  );
  return ExitCode.done;
}

/** @throws Failure USAGE naming the nearest code */
function matching(asked: string, all: readonly Explanation[], language: Language): readonly Explanation[] {
  const word = asked.toLowerCase();
  const exact = all.filter(({ code }) => code.toLowerCase() === word);
  if (exact.length > 0) return exact;
  const containing = all.filter(({ code }) => code.toLowerCase().includes(word));
  if (containing.length > 0) return containing;
  const say = usageWords[language];
  const what = fill(say.unknownCode, { name: asked });
  const near = nearest(
    asked,
    all.map(({ code }) => code),
  );
  throw new Failure("USAGE", { what: near === undefined ? what : fill(say.near, { what, near }) });
}

function exitOf({ kind, code }: Explanation): ExitCode {
  return kind === "finding" ? ExitCode.findings : exitCodeFor(code as FailureCode);
}

function full(each: Explanation, language: Language): string {
  const { words, punctuation } = catalogueOf(language);
  const about = [
    words[each.kind],
    ...(each.side === undefined ? [] : [`${words.side}${punctuation.colon}${each.side}`]),
    `${words["exit-code"]} ${exitOf(each)}`,
  ];
  const lines = [`${each.code} (${about.join(punctuation.comma)})`, `  ${each.message.replaceAll("\n", "\n  ")}`];
  if (each.hint !== "") lines.push(`  ${words.hint}${punctuation.colon}${each.hint}`);
  return `${lines.join("\n")}\n`;
}

function overview(all: readonly Explanation[], language: Language): string {
  const { words, exitCodes } = catalogueOf(language);
  const listed = (kind: Explanation["kind"]): string =>
    all
      .filter((each) => each.kind === kind)
      .map(({ code }) => `  ${code}\n`)
      .join("");
  const exits = Object.entries(ExitCode).map(([name, code]) => [`  ${code}`, exitCodes[name as keyof typeof ExitCode]]);
  return `${words.failures}:\n${listed("failure")}\n${words.findings}:\n${listed("finding")}\n${table([`${words["exit-codes"]}:`, ""], exits)}`;
}
