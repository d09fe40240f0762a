import type { Outcome } from "../../model/evidence.ts";
import type { LeftoverRecord, ObjectRecord, PhaseRecord, PluginRecord } from "../../model/receipt.ts";
import type { UndoEvidence } from "../../model/evidence.ts";
import type { z } from "zod";
import type { Language } from "../language.ts";

type States = z.output<typeof PhaseRecord>["state"];

/** How a phase of an install ended, in reports and in `status`. */
export const phaseStates: Readonly<Record<Language, Readonly<Record<States, string>>>> = { en: { started: "not ended", done: "done", skipped: "left out", failed: "failed" }, zh: { started: "未结束", done: "完成", skipped: "跳过", failed: "失败" } };

/** Words of the page that `install --report` writes; `{holes}` are filled where they stand. */
export interface ReportWords {
  readonly title: string;
  readonly outcome: Readonly<Record<Outcome, string>>;
  readonly registry: string;
  readonly cluster: string;
  readonly started: string;
  readonly took: string;
  readonly verified: string;
  readonly notVerified: string;
  readonly hashed: string;
  readonly damaged: string;
  readonly file: string;
  readonly signature: string;
  readonly signed: string;
  readonly signedUnchecked: string;
  readonly unsigned: string;
  readonly pushed: string;
  readonly notPushed: string;
  readonly sent: string;
  readonly sentUntil: string;
  readonly changed: string;
  readonly notChanged: string;
  readonly receipt: string;
  readonly revision: string;
  readonly object: string;
  readonly did: Readonly<Record<ObjectRecord["did"] | LeftoverRecord["did"], string>>;
  readonly byHelm: string;
  readonly leftover: string;
  readonly plugin: string;
  readonly state: Readonly<Record<PluginRecord["state"] | States, string>>;
  readonly proved: string;
  readonly notProved: string;
  readonly proof: string;
  readonly time: string;
  readonly phase: string;
  readonly seconds: string;
  readonly findings: string;
  readonly remedy: string;
  readonly severity: string;
  readonly undo: string;
  readonly nothingToUndo: string;
  readonly undoes: Readonly<Record<UndoEvidence["does"], string>>;
  readonly stays: string;
}

const en: ReportWords = {
  title: "Install of {bundle}",
  outcome: {
    running: "It did not end: this is what was done until {written}. It is still running, or it was killed; the same command goes on from here.",
    done: "It went through, and everything that is live was checked.",
    findings: "The release is installed, and something was found that must not stay.",
    failed: "It failed. What was done until then stands below; the same command goes on from here.",
    interrupted: "It was interrupted. What was done until then stands below; the same command goes on from here.",
  },
  registry: "registry",
  cluster: "cluster",
  started: "started",
  took: "took",
  verified: "What was verified",
  notVerified: "The bytes of the bundle were not verified in this run.",
  hashed: "{entries} entries, {size}, by {algorithm}: every one as SHA256SUMS has it",
  damaged: "{entries} entries, {size}, by {algorithm}: {damaged} of them are damaged",
  file: "file",
  signature: "signature",
  signed: "fits the key {key}",
  signedUnchecked: "present; no key was given to check it with",
  unsigned: "none",
  pushed: "What was pushed",
  notPushed: "Nothing was sent in this run.",
  sent: "{uploaded} sent, {mounted} mounted from other repositories, {present} were there already.",
  sentUntil: "{uploaded} had been sent when the push stopped. The next run does not send again what arrived whole.",
  changed: "What was changed on the cluster",
  notChanged: "Nothing was changed on the cluster.",
  receipt: "receipt",
  revision: "helm revision",
  object: "object",
  did: { created: "created", changed: "changed", repointed: "repointed", disabled: "switched off" },
  byHelm: "release",
  leftover: "found there",
  plugin: "plugin",
  state: { on: "on", off: "off", ...phaseStates.en },
  proved: "What was proved",
  notProved: "Nothing was proved in this run: it did not come that far, or the phase was left out.",
  proof: "{images} image references and {strings} strings of the rendered release were read: {findings} of them point outside {prefix}.",
  time: "Time",
  phase: "phase",
  seconds: "seconds",
  findings: "What was found",
  remedy: "remedy",
  severity: "severity",
  undo: "How to undo it",
  nothingToUndo: "There is nothing to undo.",
  undoes: { rollback: "Go back to the install before, {to}:", uninstall: "Remove the release and everything else that the receipt lists; CRDs stay:", "uninstall-all": "Remove CRDs too, with every object of their kinds, and the namespace when nothing else is in it:" },
  stays: "What was pushed stays in the registry: other clusters may pull it.",
};

const zh: ReportWords = {
  title: "{bundle} 的安装报告",
  outcome: {
    running: "安装尚未结束：以下是截至 {written} 已完成的内容。程序仍在运行，或已被强制终止；再次运行同一条命令即可继续。",
    done: "安装成功，运行中的全部内容均已检查。",
    findings: "已安装，但发现了必须处理的问题。",
    failed: "安装失败。以下是此前已完成的内容；再次运行同一条命令即可继续。",
    interrupted: "安装被中断。以下是此前已完成的内容；再次运行同一条命令即可继续。",
  },
  registry: "镜像仓库",
  cluster: "集群",
  started: "开始时间",
  took: "用时",
  verified: "校验了什么",
  notVerified: "本次运行没有校验离线包的字节。",
  hashed: "{entries} 个文件，{size}，算法 {algorithm}：均与 SHA256SUMS 一致",
  damaged: "{entries} 个文件，{size}，算法 {algorithm}：其中 {damaged} 个已损坏",
  file: "文件",
  signature: "签名",
  signed: "与公钥 {key} 相符",
  signedUnchecked: "有签名；未提供用于核对的公钥",
  unsigned: "无",
  pushed: "推送了什么",
  notPushed: "本次运行没有发送任何内容。",
  sent: "发送 {uploaded}，从其他仓库挂载 {mounted}，已存在 {present}。",
  sentUntil: "推送停止时已发送 {uploaded}。完整到达的内容下次不会重复发送。",
  changed: "集群上改变了什么",
  notChanged: "集群没有任何改变。",
  receipt: "回执",
  revision: "helm 修订版本",
  object: "对象",
  did: { created: "新建", changed: "修改", repointed: "改为指向本地", disabled: "已关闭" },
  byHelm: "由 helm 安装",
  leftover: "原有",
  plugin: "插件",
  state: { on: "启用", off: "关闭", ...phaseStates.zh },
  proved: "证明了什么",
  notProved: "本次运行没有给出证明：尚未进行到该阶段，或该阶段被跳过。",
  proof: "已读取渲染结果中的 {images} 个镜像引用和 {strings} 个字符串：其中 {findings} 个指向 {prefix} 之外。",
  time: "时间",
  phase: "阶段",
  seconds: "秒",
  findings: "发现了什么",
  remedy: "处理办法",
  severity: "级别",
  undo: "如何撤销",
  nothingToUndo: "没有需要撤销的内容。",
  undoes: { rollback: "回到上一次安装 {to}：", uninstall: "移除安装以及回执列出的全部内容；保留 CRD：", "uninstall-all": "同时移除 CRD（连同这些类型的全部对象），并在命名空间为空时移除命名空间：" },
  stays: "已推送的内容保留在仓库中：其他集群可能正在使用。",
};

export const reportWords: Readonly<Record<Language, ReportWords>> = { en, zh };
