import { wholeDocument } from "../../model/finding.ts";
import type { Language } from "../language.ts";
import { visible } from "../width.ts";
import { problemWords } from "./problem-words.ts";

const wholeWords = { en: "the whole document", zh: "整个文档" } as const;

/** The closed part of what is wrong with a bundle, in the reader's words; machines get the short ones. */
const words = {
  order: ["it does not stand where the format puts it", "所在位置不符合格式规定"],
  missing: ["it is missing", "缺失"],
  twice: ["it is there twice", "出现了两次"],
  name: ["a bundle has no entry of this name", "离线包中不允许出现该名称的条目"],
  JSON: ["it cannot be read as JSON", "无法按 JSON 读取"],
  padding: ["between two entries stands something else than zeros", "两个条目之间出现了非零字节"],
  "no end blocks": ["the file ends before the bundle does", "文件在离线包结束之前就中断了"],
  "end blocks": ["the end of the bundle was changed", "离线包的结尾被改动"],
  "bytes after the end": ["something stands after the end of the bundle", "离线包结尾之后还有多余内容"],
  "not in bundle.json": ["bundle.json does not list it", "bundle.json 中没有它"],
  "no such entry": ["there is no such entry", "没有这个条目"],
} as const satisfies Readonly<Record<string, readonly [en: string, zh: string]>>;

/** Of a document in a bundle: what a schema says about it is worded as that of a configuration file. */
export function documentWords({ where, why }: { readonly where: string; readonly why: string }, language: Language): Readonly<Record<string, string>> {
  const whole = where.endsWith(wholeDocument) ? `${where.slice(0, -wholeDocument.length)}${wholeWords[language]}` : where;
  const known = malformedWords(language)[`why.${why}`];
  return { [`where.${where}`]: visible(whole), [`why.${why}`]: known ?? visible(problemWords(why, language)) };
}

function malformedWords(language: Language): Readonly<Record<string, string>> {
  const at = language === "zh" ? 1 : 0;
  return Object.fromEntries(Object.entries(words).map(([why, texts]) => [`why.${why}`, texts[at]]));
}
