import { wholeDocument } from "../../model/finding.ts";
import type { Language } from "../language.ts";
import { visible } from "../width.ts";

type Rule = readonly [sentence: RegExp, words: (...found: string[]) => string];

/** What our schemas expect of a text, in their own words (`expected a name: …`). */
const expectations: Readonly<Record<string, string>> = {
  "an image reference: registry/repository:tag": "镜像引用：registry/repository:tag",
  "a platform: linux/amd64": "平台：linux/amd64",
  "a size: 3900MiB": "大小：3900MiB",
  "a name: letters, digits, . _ -": "名称：字母、数字、. _ -",
  "a name: letters, digits, . _ -, with / for a path": "名称：字母、数字、. _ -，路径用 /",
  "a release name: small letters, digits and -, at most 53": "发布名：小写字母、数字和 -，最多 53 个",
  "a namespace: small letters, digits and -, at most 63": "命名空间：小写字母、数字和 -，最多 63 个",
  "a name of a Kubernetes object": " Kubernetes 对象的名称",
  "a resource: deployments.apps": "资源：deployments.apps",
  "a chart name: letters, digits, . _ -": " chart 名称：字母、数字、. _ -",
  "a chart version: 1.2.3": " chart 版本：1.2.3",
  "a digest: sha256: and 64 small hex digits": "摘要：sha256: 加 64 位小写十六进制数字",
  "a media type": "媒体类型",
  "a time: 2026-01-02T03:04:05Z": "时间：2026-01-02T03:04:05Z",
  "a values path of at most 64 keys": " values 路径，最多 64 级",
  "an entry of a bundle": "离线包中的条目",
  "an entry of a bundle below charts/": "离线包中 charts/ 下的条目",
  "an entry of a bundle below crds/": "离线包中 crds/ 下的条目",
  "an entry of a bundle below manifests/": "离线包中 manifests/ 下的条目",
  "a file name": "文件名",
  "the sum of this document": "该文档的校验和",
  "the sum of all volumes": "所有分卷之和",
  "UTF-8": " UTF-8 编码",
  "a certificate, PEM or DER": "证书（PEM 或 DER）",
  "a URL without a login in it: https://host/file": "不含登录信息的 URL：https://主机/文件",
  "the sum of what `from` gives: nobody else vouches for it": "`from` 所指文件的校验和：没有别的可以证明它",
  "a chart repository, oci:// or file without a login in it": "不含登录信息的 chart 仓库、oci:// 或文件",
  "an http(s) URL without a login in it": "不含登录信息的 http(s) URL",
  "sha256: 64 small hex digits": " sha256：64 位小写十六进制数字",
  "a version such as 1.30 or 1.30.0": "版本号，例如 1.30 或 1.30.0",
  "a host, host:port, *.domain or a range such as 203.0.113.0/24": "主机、host:port、*.域名或地址段（如 203.0.113.0/24）",
  "host or host:port, without https:// and path": " host 或 host:port，不带 https:// 和路径",
  "a project: small letters, digits, . _ -, with / for a path": "项目：小写字母、数字、. _ -，路径用 /",
  "a pattern without *, +, look-around or repeated groups": "不含 *、+、环视和重复分组的模式",
};

const types: Readonly<Record<string, string>> = { string: "字符串", number: "数字", int: "整数", boolean: " true 或 false", array: "列表", object: "映射", record: "映射", null: "空值" };

const expected = (what: string): string => expectations[what] ?? types[what] ?? what;
const shown = (value: string): string => (value === "nothing" ? "没有" : value);
const limits: Readonly<Record<string, string>> = { "<": "小于 ", "<=": "最多 ", ">": "大于 ", ">=": "至少 " };
const unit: Readonly<Record<string, string>> = { characters: " 个字符", items: " 项" };
const limit = (sign = "", count = "", of = ""): string => `应为${limits[sign] ?? sign}${count}${unit[of] ?? ""}`;

/** The sentences of the schema library and of the YAML reader that a configuration file can bring about. */
const rules: readonly Rule[] = [
  [/^missing; expected (.+)$/, (what = "") => `缺少；应为${expected(what)}`],
  [/^Invalid input: expected (.+), received (\w+)(; put it in quotes)?$/, (what = "", got = "", quotes = "") => `应为${expected(what)}，实际是${expected(got)}${quotes === "" ? "" : "；请加引号"}`],
  [/^Invalid input: expected (.+)$/, (what = "") => `应为 ${expected(what)}`],
  [/^Invalid option: expected one of (.+)$/, (all = "") => `应为其中之一：${all.replaceAll("|", "、")}`],
  [/^Invalid string: must match pattern (.+)$/, (pattern = "") => `必须匹配 ${pattern}`],
  [/^Too (?:big|small): expected \w+ to (?:have |be )?([<>]=?)(\d+)(?: (\w+))?$/, limit],
  [/^expected text of at most (\d+) characters$/, (most = "") => `应为文本，最多 ${most} 个字符`],
  [/^certificate (\d+) in this file is cut off or damaged: copy it again$/, (at = "") => `该文件中的第 ${at} 个证书不完整或已损坏：请重新复制`],
  [/^expected a certificate, not a private key$/, () => "应为证书，实际是私钥"],
  [/^expected (.+), not (.+)$/, (wanted = "", got = "") => `应为 ${shown(wanted)}，实际是 ${shown(got)}`],
  [/^(?:JSON|YAML)$/, () => "无法读取"],
  [/^> (\d+) (B|values)$/, (most = "", what = "") => `超过 ${most} ${what === "B" ? "字节" : "个值"}`],
  [/^nested > (\d+)$/, (most = "") => `嵌套超过 ${most} 层`],
  [/^expected (.+); it holds (U\+[0-9A-F]+)$/, (what = "", point = "") => `应为${expected(what)}；${characterWords(point, "zh")}`],
  [/^expected (.+)$/, (what = "") => `应为${expected(what)}`],
  [/^unknown key; did you mean (.+)\?$/, (key = "") => `未知的键；是不是 ${key}？`],
  [/^unknown key; known: (.*)$/, (keys = "") => `未知的键；可用的有：${keys.replaceAll(", ", "、")}`],
  [/^and (\d+) more$/, (count = "") => `还有 ${count} 处`],
  [/^one document expected$/, () => "只能有一个文档"],
  [/^duplicated mapping key$/, () => "同一个键出现了两次"],
  [/^bad indentation of .+$/, () => "缩进不对"],
  [/^tab characters must not be used in indentation$/, () => "缩进不能用制表符"],
  [/^unexpected end of the (?:stream|document).*$/, () => "文件意外结束"],
];

/** `file:3:7 registry.host - expected …`, one a line. What is not known stays as its author wrote it. */
export function problemWords(problems: string, language: Language): string {
  return problems
    .split("\n")
    .map((line) => (language === "en" ? inEnglish(line) : inChinese(line)))
    .join("\n");
}

/** `volumes.0.name: expected …`: of documents that nobody reads by lines. */
export function placedWords(problem: string, language: Language): string {
  const [, where = "", what = problem] = /^([\w.]+: )(.*)$/.exec(problem) ?? [];
  return language === "en" ? inEnglish(problem) : `${where.replace(": ", "：")}${inChinese(what)}`;
}

/** As a schema says it; only characters are named, since they may show as nothing. */
function inEnglish(line: string): string {
  return line.replace(/it holds (U\+[0-9A-F]+)$/, (_, point: string) => characterWords(point, "en"));
}

function inChinese(line: string): string {
  const [, where = "", what = line] = /^((?:\S+:\d+:\d+ )?(?:\S+ - )?)(.*)$/.exec(line) ?? [];
  for (const [sentence, words] of rules) {
    const found = sentence.exec(what);
    if (found !== null) return where + words(...found.slice(1));
  }
  return line;
}

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

const wholeWords = { en: "the whole document", zh: "整个文档" } as const;

/** The closed part of what is wrong with a bundle, in the reader's words; machines get the short ones. */
const words = {
  order: ["it does not stand where the format puts it", "所在位置不符合格式规定"],
  missing: ["it is missing", "缺失"],
  twice: ["it is there twice", "出现了两次"],
  name: ["a bundle has no entry of this name", "离线包中不允许出现该名称的条目"],
  JSON: ["it cannot be read as JSON", "无法按 JSON 读取"],
  "header checksum": ["no tar begins here: it is another file, a compressed one, or its bytes were changed", "这里不是 tar 的开头：它是其他文件或压缩文件，或字节被改动"],
  "header magic": ["this tar was not made by this program", "这个 tar 不是由本程序生成的"],
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
