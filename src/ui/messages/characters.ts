import type { Language } from "../language.ts";

/** Characters that look like another one or like none, as people meet them in references that were pasted. */
const names: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  "U+0009": ["a tabulator", "制表符"],
  "U+0020": ["a space", "空格"],
  "U+00A0": ["a no-break space", "不换行空格"],
  "U+00AD": ["a soft hyphen", "软连字符"],
  "U+200B": ["a zero-width space", "零宽空格"],
  "U+200C": ["a zero-width non-joiner", "零宽不连字"],
  "U+200D": ["a zero-width joiner", "零宽连字"],
  "U+2010": ["a hyphen that is not -", "不是 - 的连字符"],
  "U+2011": ["a no-break hyphen", "不换行连字符"],
  "U+2013": ["a dash", "短破折号"],
  "U+2014": ["a dash", "破折号"],
  "U+2060": ["a word joiner without width", "零宽连接符"],
  "U+3000": ["a full-width space", "全角空格"],
  "U+3002": ["a Chinese full stop", "中文句号"],
  "U+FEFF": ["a byte order mark", "字节顺序标记（BOM）"],
  "U+FF0D": ["a full-width hyphen", "全角连字符"],
  "U+FF0E": ["a full-width dot", "全角句点"],
  "U+FF0F": ["a full-width slash", "全角斜杠"],
  "U+FF1A": ["a full-width colon", "全角冒号"],
  "U+FF20": ["a full-width @", "全角 @"],
};

/** `U+FF1A` in the reader's words, with the number beside it: the character itself may show as nothing. */
export function characterWords(point: string, language: Language): string {
  const name = names[point]?.[language === "zh" ? 1 : 0] ?? (language === "zh" ? "字符" : "the character");
  return language === "zh" ? `其中有${name}（${point}）` : `it holds ${name} (${point})`;
}
