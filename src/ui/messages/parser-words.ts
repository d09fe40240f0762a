import type { CommandLineFault } from "../../model/failure.ts";
import type { Language } from "../language.ts";

/**
 * The parser's own words. It ships translations as files, which a single executable does not have beside it
 * (docs/facts/node.md#yargs), and its English says "Invalid".
 */
type ParserWords = Readonly<Record<string, string | { readonly one: string; readonly other: string }>>;

const english: ParserWords = {
  "Commands:": "Commands:",
  "Options:": "Options:",
  "Global options:": "Global options:",
  "Examples:": "Examples:",
  boolean: "boolean",
  count: "count",
  string: "string",
  number: "number",
  array: "array",
  required: "required",
  default: "default",
  "default:": "default:",
  "choices:": "choices:",
  "aliases:": "aliases:",
  "generated-value": "generated-value",
  "Not enough non-option arguments: got %s, need at least %s": { one: "Name a command; --help lists them (got %s, need at least %s)", other: "Name a command or an argument more; --help lists them (got %s, need at least %s)" },
  "Too many non-option arguments: got %s, maximum of %s": { one: "Too many arguments: got %s, at most %s", other: "Too many arguments: got %s, at most %s" },
  "Missing argument value: %s": { one: "No value for: %s", other: "No values for: %s" },
  "Missing required argument: %s": { one: "Missing: %s", other: "Missing: %s" },
  "Unknown argument: %s": { one: "Unknown argument: %s", other: "Unknown arguments: %s" },
  "Unknown command: %s": { one: "Unknown command: %s", other: "Unknown commands: %s" },
  "Invalid values:": "Values that are not allowed:",
  "Argument: %s, Given: %s, Choices: %s": "--%s: given %s, choices %s",
  "Not enough arguments following: %s": "No value after: %s",
  "Show help": "Show this text",
  "Show version number": "Show the version",
  "Did you mean %s?": "Did you mean %s?",
  "Positionals:": "Positionals:",
  command: "command",
  deprecated: "deprecated",
  "deprecated: %s": "deprecated: %s",
};

const chinese: ParserWords = {
  "Commands:": "命令：",
  "Options:": "选项：",
  "Global options:": "通用选项：",
  "Examples:": "示例：",
  boolean: "是/否",
  count: "计数",
  string: "文本",
  number: "数字",
  array: "可多次",
  required: "必需",
  default: "默认",
  "default:": "默认：",
  "choices:": "可选：",
  "aliases:": "别名：",
  "generated-value": "生成的值",
  "Not enough non-option arguments: got %s, need at least %s": { one: "缺少命令或参数：给出 %s 个，至少需要 %s 个", other: "缺少命令或参数：给出 %s 个，至少需要 %s 个" },
  "Too many non-option arguments: got %s, maximum of %s": { one: "参数过多：给出 %s 个，最多 %s 个", other: "参数过多：给出 %s 个，最多 %s 个" },
  "Missing argument value: %s": { one: "缺少参数值：%s", other: "缺少参数值：%s" },
  "Missing required argument: %s": { one: "缺少必需的参数：%s", other: "缺少必需的参数：%s" },
  "Unknown argument: %s": { one: "未知参数：%s", other: "未知参数：%s" },
  "Unknown command: %s": { one: "未知命令：%s", other: "未知命令：%s" },
  "Invalid values:": "参数值不在允许范围内：",
  "Argument: %s, Given: %s, Choices: %s": "--%s：给出 %s，可选 %s",
  "Not enough arguments following: %s": "该选项后面缺少值：%s",
  "Show help": "显示帮助",
  "Show version number": "显示版本",
  "Did you mean %s?": "是否想输入 %s？",
  "Positionals:": "位置参数：",
  command: "命令",
  deprecated: "已弃用",
  "deprecated: %s": "已弃用：%s",
};

export const parserWords: Readonly<Record<Language, ParserWords>> = { en: english, zh: chinese };

/** What is wrong with a command line, said by us where the parser's words do not help. */
export interface UsageWords {
  readonly unknownCommand: string;
  readonly unknownFlag: string;
  readonly near: string;
  readonly missing: string;
  readonly oneOf: string;
  readonly noValue: string;
  readonly wrongValue: string;
  readonly noSite: string;
  readonly unknownCode: string;
  readonly noHigress: string;
  readonly severalReleases: string;
}

/** What is wrong where all words are known: `{what}` was typed, `{wanted}` is what may be. */
export const misuseWords: Readonly<Record<Language, Readonly<Record<CommandLineFault, string>>>> = {
  en: {
    needed: "{what} is needed",
    empty: "{what} needs a value",
    twice: "{what} may be given once",
    allowed: "{what}: allowed are {wanted}",
    form: "{what} cannot be read; write it like {wanted}",
    with: "{what} goes with {wanted}, and one of the two is not there",
    apart: "{what} and {wanted} exclude each other",
    either: "{what} wants one of these, and only one: {wanted}",
    "plugin-needed": "{what} is needed, with the name of a plugin; {wanted} shows them",
    "plugin-unknown": "the bundle has no plugin {what}; plugins list shows those that it has",
    "plugin-near": "the bundle has no plugin {what}; did you mean {wanted}?",
  },
  zh: {
    needed: "缺少 {what}",
    empty: "{what} 需要一个值",
    twice: "{what} 只能给出一次",
    allowed: "{what}：可取的值为 {wanted}",
    form: "{what} 无法识别；请写成 {wanted} 的形式",
    with: "{what} 须与 {wanted} 一起使用，现在缺少其中之一",
    apart: "{what} 与 {wanted} 不能同时使用",
    either: "{what} 需要以下之一，且只能有一个：{wanted}",
    "plugin-needed": "缺少 {what}（插件名称）；用 {wanted} 查看有哪些插件",
    "plugin-unknown": "离线包中没有插件 {what}；用 plugins list 查看其中的插件",
    "plugin-near": "离线包中没有插件 {what}；是否想输入 {wanted}？",
  },
};

export const usageWords: Readonly<Record<Language, UsageWords>> = {
  en: {
    unknownCommand: "there is no command {name}",
    unknownFlag: "{command} has no option --{name}",
    near: "{what}; did you mean {near}?",
    missing: "{command} needs {name}",
    oneOf: "{command} needs one of: {names}",
    noValue: "--{name} needs a value",
    wrongValue: "{name} {value}: allowed are {choices}",
    noSite: "no --site was given, and there is no {path}; site init writes one",
    unknownCode: "there is no code {name}",
    noHigress: "{namespace} has no release {release}, and no workload of Higress; see --namespace and --release",
    severalReleases: "several releases of Higress: {names}; say which with --release and --namespace",
  },
  zh: {
    unknownCommand: "没有命令 {name}",
    unknownFlag: "{command} 没有选项 --{name}",
    near: "{what}；是否想输入 {near}？",
    missing: "{command} 需要 {name}",
    oneOf: "{command} 需要以下之一：{names}",
    noValue: "--{name} 需要一个值",
    wrongValue: "{name} {value}：可取的值为 {choices}",
    noSite: "没有给出 --site，也没有 {path}；可用 site init 写出一个",
    unknownCode: "没有代码 {name}",
    noHigress: "{namespace} 中没有安装 {release}，也没有 Higress 的工作负载；请查看 --namespace 和 --release",
    severalReleases: "有多个 Higress 安装：{names}；请用 --release 和 --namespace 指明",
  },
};
