import { charsetOf, isChinese } from "./charset.ts";
import { en } from "./messages/en.ts";
import type { Catalogue } from "./messages/vocabulary.ts";
import { zh } from "./messages/zh.ts";

export type Language = "en" | "zh";

/** Where it is read: the language of who reads, and the columns of the terminal, if it is one. */
export interface Shown {
  readonly language: Language;
  readonly columns?: number | undefined;
}

/**
 * `--lang`, else the locale as POSIX orders it: LC_ALL, LC_MESSAGES, LANG. Anything that is not Chinese is English, and so is
 * what a terminal reads whose bytes have no Chinese that we could write.
 */
export function chooseLanguage(flag: string | undefined, env: Readonly<Record<string, string | undefined>>): Language {
  if (flag === "en" || flag === "zh") return flag;
  const locale =
    [env["LC_ALL"], env["LC_MESSAGES"], env["LANG"]].find((value) => value !== undefined && value !== "") ?? "";
  const charset = charsetOf(env);
  return /^zh/i.test(locale) && (charset === undefined || isChinese(charset)) ? "zh" : "en";
}

export function catalogueOf(language: Language): Catalogue {
  return language === "zh" ? zh : en;
}
