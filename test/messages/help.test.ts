import { describe, expect, it } from "vitest";
import { runApp } from "../../src/cli/app.ts";
import { commands } from "../../src/cli/commands/table.ts";
import { isFailure } from "../../src/model/failure.ts";
import { describeFailure } from "../../src/ui/failure.ts";
import { catalogueOf, type Language } from "../../src/ui/language.ts";
import { widthOf } from "../../src/ui/width.ts";

const neverRun = (): never => {
  throw new Error("a command ran");
};
const known = new Map<string, string>();
/** Asked once: the parser takes a tenth of a second to build. */
const helpOf = async (language: Language, ...argv: string[]): Promise<string> => {
  const key = [language, ...argv].join(" ");
  const text = known.get(key) ?? `${(await runApp([...argv, "--help"], "1.2.3", language, neverRun)).text}\n`;
  known.set(key, text);
  return text;
};

describe.each(["en", "zh"] as const)("help in %s", (language) => {
  it("of the program is this text", async () => {
    await expect(await helpOf(language)).toMatchFileSnapshot(`golden/${language}/help/higress-airgap.txt`);
  });

  it("is what a bare call prints", async () => {
    const { text } = await runApp([], "1.2.3", language, neverRun);
    expect(`${text}\n`).toBe(await helpOf(language));
  });

  it.each(commands.map(({ name }) => name))("of %s is this text", async (name) => {
    const text = await helpOf(language, ...name.split(" "));
    await expect(text).toMatchFileSnapshot(`golden/${language}/help/${name.replace(" ", "-")}.txt`);
  });

  it("names every option with a sentence, and fits a terminal of 80 columns", async () => {
    for (const { name } of commands) {
      const text = await helpOf(language, ...name.split(" "));
      const wide = text.split("\n").filter((line) => widthOf(line) > 80);
      const mute = text.split("\n").filter((line) => /^ +--[a-z-]+ {2,}\[/.test(line));
      expect({ name, wide, mute }).toEqual({ name, wide: [], mute: [] });
    }
  });

  it("shows an example of every command on one line, to be copied", async () => {
    for (const { name } of commands) {
      const text = await helpOf(language, ...name.split(" "));
      expect(text).toContain(`  higress-airgap ${catalogueOf(language).commands[name].example}\n`);
    }
  });
});

/** What the user reads after a wrong command line. */
async function mistake(language: Language, argv: readonly string[]): Promise<string> {
  try {
    await runApp(argv, "1.2.3", language, neverRun);
  } catch (error) {
    if (isFailure(error, "USAGE")) return describeFailure(error, language).message;
    throw error;
  }
  return "nothing";
}

describe("a wrong command line", () => {
  it.each([
    ["an unknown command", ["frobnicate"], "there is no command frobnicate"],
    ["a mistyped command", ["instal", "a.tar"], "there is no command instal; did you mean install?"],
    [
      "a mistyped command after a global option",
      ["--lang", "en", "instal"],
      "there is no command instal; did you mean install?",
    ],
    ["a group alone", ["site"], "site needs one of: init, form"],
    ["a mistyped member of a group", ["site", "int"], "there is no command site int; did you mean site init?"],
    ["an unknown option", ["verify", "a.tar", "--frobnicate"], "verify has no option --frobnicate"],
    ["a mistyped option", ["verify", "a.tar", "--qiuck"], "verify has no option --qiuck; did you mean --quick?"],
    ["a missing positional", ["verify"], "verify needs <bundle>"],
    ["a missing positional before an option", ["inspect", "--html", "a.html"], "inspect needs <bundle>"],
    ["a missing option", ["keygen"], "keygen needs --out"],
    ["an option without its value", ["build", "bundle.yaml", "--out"], "--out needs a value"],
    ["an option whose value is another option", ["build", "bundle.yaml", "--out", "--dry-run"], "--out needs a value"],
    ["a positional too many", ["verify", "a.tar", "b.tar"], "Unknown argument: b.tar"],
    [
      "a choice that there is not",
      ["verify", "a.tar", "--output", "xml"],
      "--output xml: allowed are auto, plain, json",
    ],
  ])("%s is told as it is", async (_what, argv, words) => {
    expect(await mistake("en", argv)).toBe(`The command line cannot be used: ${words}`);
  });

  it.each([
    ["未知命令", ["instal", "a.tar"], "没有命令 instal；是否想输入 install？"],
    ["未知选项", ["verify", "a.tar", "--qiuck"], "verify 没有选项 --qiuck；是否想输入 --quick？"],
    ["缺少参数", ["verify"], "verify 需要 <bundle>"],
    ["缺少值", ["build", "bundle.yaml", "--out"], "--out 需要一个值"],
    ["多余的参数", ["verify", "a.tar", "b.tar"], "未知参数：b.tar"],
  ])("%s 用中文说明", async (_what, argv, words) => {
    expect(await mistake("zh", argv)).toBe(`命令行无法使用：${words}`);
  });
});
