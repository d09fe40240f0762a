// @ts-check
// Writes the pages of docs/ that repeat what the program itself says: commands, codes, troubleshooting, and the
// manual page, in both languages. `--check` writes nothing and fails when a page is not what it would write.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { build } from "esbuild";
import { format } from "prettier";

const entry = `
export { commands } from "./src/cli/commands/table.ts";
export { globalOptions } from "./src/cli/define.ts";
export { ExitCode, exitCodeFor } from "./src/cli/exit-code.ts";
export { explanations } from "./src/ui/explain.ts";
export { catalogueOf } from "./src/ui/language.ts";
export { loadTyped } from "./src/std/yaml.ts";
`;
const { outputFiles } = await build({
  stdin: { contents: entry, resolveDir: process.cwd(), loader: "ts" },
  bundle: true,
  write: false,
  platform: "node",
  target: "node20",
  format: "esm",
  plugins: [
    {
      name: "lazy",
      setup: (on) =>
        on.onResolve({ filter: /^\.\// }, ({ kind, path }) =>
          kind === "dynamic-import" ? { path, external: true } : undefined,
        ),
    },
  ],
});
const source = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
const ours = await import(`data:text/javascript;base64,${source}`);

const titles = {
  en: {
    commands: "Commands",
    completion:
      "One line for each shell. Commands, options, their values, error codes, file names and the plugins of the bundle on the line are completed; `./install.sh` in the place of `higress-airgap` does for a host that has only the stick.",
    note: "Written by `scripts/docs.mjs` from what the program says; edits here are lost.",
    option: "option",
    meaning: "meaning",
    takes: "takes",
    exit: "Exit codes",
    codes: "Error and finding codes",
    codesAbout: "`higress-airgap explain CODE` prints the same. Codes are permanent: scripts may rely on them.",
    failures: "Errors",
    findings: "Findings",
    notes: "Notes",
    notesAbout: "What `--output json` calls a note, by its `text`; in braces stand its `facts`.",
    next: "Next",
    trouble: "Troubleshooting",
    troubleAbout:
      "What a line in a log, an event or the status of a pod means. `higress-airgap doctor --site site.yaml` looks for all of these in a cluster; `doctor --logs FILE` looks in a file.",
    sign: "Seen",
    cause: "Cause",
    remedy: "Remedy",
    man: {
      name: "NAME",
      synopsis: "SYNOPSIS",
      files: "FILES",
      options: "OPTIONS",
      examples: "EXAMPLES",
      about: "install the Higress gateway where there is no internet",
    },
  },
  zh: {
    commands: "命令",
    completion:
      "每种 shell 一行。可补全命令、选项及其取值、错误码、文件名，以及命令行上离线包中的插件；只有 U 盘的主机上，把 `higress-airgap` 换成 `./install.sh`。",
    note: "由 `scripts/docs.mjs` 根据程序自身的文字生成；在此处的修改会丢失。",
    option: "选项",
    meaning: "含义",
    takes: "取值",
    exit: "退出码",
    codes: "错误码和问题码",
    codesAbout: "`higress-airgap explain 代码` 输出同样的内容。代码不会改变，脚本可以依赖它们。",
    failures: "错误",
    findings: "问题",
    notes: "说明",
    notesAbout: "`--output json` 中类型为 note 的事件，按其 `text` 排列；花括号中是其 `facts`。",
    next: "下一步",
    trouble: "故障排查",
    troubleAbout:
      "日志、事件或 Pod 状态中某一行的含义。`higress-airgap doctor --site site.yaml` 会在集群中查找以下全部症状；`doctor --logs 文件` 在文件中查找。",
    sign: "现象",
    cause: "原因",
    remedy: "处理",
    man: {
      name: "名称",
      synopsis: "概要",
      files: "文件",
      options: "选项",
      examples: "示例",
      about: "在没有互联网的网络中安装 Higress 网关",
    },
  },
};

/** What makes completion work in a shell that is open already; behind it, where it stays. */
const completionLines = [
  "source <(higress-airgap completion bash) # into ~/.bashrc",
  "source <(higress-airgap completion zsh) # into ~/.zshrc",
  "higress-airgap completion fish | source # into ~/.config/fish/config.fish",
].join("\n");

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");

/** @param {"en" | "zh"} language */
function commandsPage(language) {
  const { commands, flags, words, exitCodes } = ours.catalogueOf(language);
  const t = titles[language];
  const sections = ours.commands.map((command) => {
    const rows = Object.entries(command.flags)
      .filter(([flag]) => !new RegExp(`[<[]${flag}[>\\]]`).test(command.positionals))
      .map(([flag, { choices, type, array, demandOption }]) => {
        const takes = [
          choices?.join(", ") ?? (type === "string" ? "…" : ""),
          ...(array ? ["×n"] : []),
          ...(demandOption ? ["!"] : []),
        ];
        return `| \`--${flag}\` | ${cell(flags[flag])} | ${takes.filter((it) => it !== "").join(" ")} |`;
      });
    const options =
      rows.length === 0 ? "" : `| ${t.option} | ${t.meaning} | ${t.takes} |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
    const { about, example } = commands[command.name];
    const usage = `higress-airgap ${command.name} ${command.positionals}`.trim();
    const more = command.name === "completion" ? `${t.completion}\n\n\`\`\`sh\n${completionLines}\n\`\`\`\n\n` : "";
    return `## ${command.name}\n\n${about}\n\n\`${usage}\`\n\n\`\`\`sh\nhigress-airgap ${example}\n\`\`\`\n\n${more}${options}`;
  });
  const exits = Object.entries(ours.ExitCode).map(([name, code]) => `| ${code} | ${cell(exitCodes[name])} |`);
  const common = ["lang", "output", "verbose"].map(
    (flag) => `| \`--${flag}\` | ${cell(flags[flag])} | ${ours.globalOptions[flag].choices?.join(", ") ?? ""} |`,
  );
  return `# ${t.commands}\n\n<!-- ${t.note} -->\n\n| ${t.option} | ${t.meaning} | ${t.takes} |\n| --- | --- | --- |\n${common.join("\n")}\n\n## ${t.exit}\n\n| ${words["exit-code"]} | ${t.meaning} |\n| --- | --- |\n${exits.join("\n")}\n\n${sections.join("\n")}`;
}

/** @param {"en" | "zh"} language */
function codesPage(language) {
  const t = titles[language];
  const { colon } = ours.catalogueOf(language).punctuation;
  /** @param {string} kind */
  const section = (kind) =>
    ours
      .explanations(language)
      .filter((each) => each.kind === kind)
      .map(
        ({ code, message, hint }) =>
          `### ${code}\n\n${cell(message)}\n\n${hint === "" ? "" : `${t.next}${colon}${hint.split("\n- ").map(cell).join("\n- ")}\n`}`,
      )
      .join("\n");
  const notes = Object.entries(ours.catalogueOf(language).notes).map(
    ([text, words]) => `| \`${text}\` | ${cell(words)} |`,
  );
  return `# ${t.codes}\n\n<!-- ${t.note} -->\n\n${t.codesAbout}\n\n## ${t.failures}\n\n${section("failure")}\n## ${t.findings}\n\n${section("finding")}\n## ${t.notes}\n\n${t.notesAbout}\n\n| \`text\` | ${t.meaning} |\n| --- | --- |\n${notes.join("\n")}\n`;
}

const [{ symptoms }] = ours.loadTyped(await readFile("manifests/higress/symptoms.yaml", "utf8"));

/** @param {"en" | "zh"} language */
function troublePage(language) {
  const t = titles[language];
  const { colon, comma } = ours.catalogueOf(language).punctuation;
  const sections = symptoms.map(
    ({ id, match, symptom, cause, remedy }) =>
      `## ${id}\n\n${cell(symptom[language])}\n\n- ${t.sign}${colon}${[match]
        .flat()
        .map((it) => `\`${it}\``)
        .join(comma)}\n- ${t.cause}${colon}${cell(cause[language])}\n- ${t.remedy}${colon}${cell(remedy[language])}\n`,
  );
  return `# ${t.trouble}\n\n<!-- ${t.note} -->\n\n${t.troubleAbout}\n\n${sections.join("\n")}`;
}

/** What roff reads as a request, an escape or a hyphen that breaks, as the letter that it is. @param {string} text */
const roff = (text) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    .replaceAll("\n", " ");

/** The manual page, https://man7.org/linux/man-pages/man7/man.7.html. @param {"en" | "zh"} language */
function manPage(language) {
  const { commands, flags, exitCodes } = ours.catalogueOf(language);
  const t = titles[language];
  const sections = ours.commands.map((command) => {
    const { about, example } = commands[command.name];
    const options = Object.keys(command.flags)
      .filter((flag) => !new RegExp(`[<[]${flag}[>\\]]`).test(command.positionals))
      .map((flag) => {
        const { choices, type } = command.flags[flag];
        const takes = choices?.join("|") ?? (type === "string" ? "…" : "");
        return `.TP\n.B \\-\\-${roff(flag)}${takes === "" ? "" : `\\fR ${roff(takes)}`}\n${roff(flags[flag])}`;
      });
    const call = roff(`higress-airgap ${command.name} ${command.positionals}`.trim());
    return [
      `.SS ${roff(command.name)}`,
      `.B ${call}`,
      ".PP",
      roff(about),
      ".PP",
      `.EX\nhigress\\-airgap ${roff(example)}\n.EE`,
      ...options,
    ].join("\n");
  });
  const common = ["lang", "output", "verbose"].map((flag) => `.TP\n.B \\-\\-${flag}\n${roff(flags[flag])}`);
  const exits = Object.entries(ours.ExitCode).map(([name, code]) => `.TP\n.B ${code}\n${roff(exitCodes[name])}`);
  return [
    `.\\" ${t.note}`,
    '.TH HIGRESS\\-AIRGAP 1 "" "higress\\-airgap"',
    `.SH ${t.man.name}`,
    `higress\\-airgap \\- ${roff(t.man.about)}`,
    `.SH ${t.man.synopsis}`,
    ".B higress\\-airgap\n.I COMMAND\n.RI [ OPTION ...]",
    `.SH ${t.man.options}`,
    ...common,
    `.SH ${t.commands.toUpperCase()}`,
    ...sections,
    `.SH ${t.exit.toUpperCase()}`,
    ...exits,
    `.SH ${t.man.files}`,
    `.TP\n.B site.yaml\n${roff(flags.site)}`,
    `.TP\n.B bundle.yaml\n${roff(flags.spec)}`,
    `.SH ${t.man.examples}`,
    `.EX\nhigress\\-airgap ${roff(commands.build.example)}\nhigress\\-airgap ${roff(commands.install.example)}\n.EE`,
    "",
  ].join("\n");
}

/** @type {[string, string][]} */
const pages = [];
for (const language of /** @type {const} */ (["en", "zh"])) {
  for (const [name, page] of Object.entries({
    commands: commandsPage,
    codes: codesPage,
    troubleshooting: troublePage,
  }))
    pages.push([`docs/${language}/${name}.md`, page(language)]);
  // The folders are those of man itself: `man -M docs/man higress-airgap` reads them in the user's language.
  pages.push([`docs/man/${language === "zh" ? "zh_CN/" : ""}man1/higress-airgap.1`, manPage(language)]);
}

/** A page without what prettier does to ours: it pads tables, sets blank lines and leaves no two spaces. @param {string} page */
const unformatted = (page) => page.replaceAll(/-{3,}/g, "---").replaceAll(/ {2,}/g, " ").replaceAll(/ ?\n+/g, "\n");

const stale = [];
for (const [path, written] of pages) {
  const there = await readFile(path, "utf8").catch(() => "");
  // That it is formatted is for the gate to say: to format all pages takes some seconds, and a test waits for them.
  if (process.argv.includes("--check") && unformatted(there) === unformatted(written)) continue;
  const text = path.endsWith(".md") ? await format(written, { parser: "markdown", printWidth: 120 }) : written;
  if (there === text) continue;
  stale.push(path);
  if (process.argv.includes("--check")) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
process.stdout.write(stale.map((path) => `${path}\n`).join(""));
if (process.argv.includes("--check")) process.exitCode = stale.length > 0 ? 1 : 0;
