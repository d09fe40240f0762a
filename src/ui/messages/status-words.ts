import type { Receipt } from "../../model/receipt.ts";
import type { GatewayHas, Installer, Newer, StatusQuestion } from "../../model/status.ts";
import type { Language } from "../language.ts";
import { phaseStates } from "./report-words.ts";

/** Words of `status`, `history` and `plugins list --site`; `{holes}` are filled where they stand. */
export interface StatusWords {
  readonly site: string;
  readonly release: string;
  readonly noRelease: string;
  readonly unreadRelease: string;
  readonly installer: Readonly<Record<Installer["by"], string>>;
  readonly takenOver: string;
  readonly gateway: string;
  readonly console: string;
  readonly nowhere: string;
  readonly address: string;
  readonly plugins: string;
  readonly noPlugins: string;
  readonly object: string;
  readonly state: string;
  /** Of our installs and their checks; helm's own states are shown as helm has them. */
  readonly states: Readonly<Record<Receipt["state"] | Receipt["phases"][number]["state"], string>>;
  readonly on: string;
  readonly off: string;
  readonly absent: string;
  readonly phase: string;
  readonly priority: string;
  readonly inGateway: string;
  readonly gatewayHas: Readonly<Record<GatewayHas, string>>;
  readonly inBundle: string;
  readonly live: string;
  readonly receipts: string;
  readonly noReceipts: string;
  readonly beside: string;
  readonly install: string;
  readonly started: string;
  readonly lastCheck: string;
  readonly neverChecked: string;
  readonly newer: string;
  readonly kinds: Readonly<Record<Newer["kind"], string>>;
  readonly nothingNewer: string;
  readonly unread: string;
  readonly unreadNames: Readonly<Record<StatusQuestion, string>>;
  readonly revision: string;
  readonly chart: string;
  readonly back: string;
  readonly current: string;
  readonly noHistory: string;
}

const en: StatusWords = {
  site: "release {release} in {namespace}, registry {prefix}",
  release: "release {release}: {chart} {version}, revision {revision}, {state}",
  noRelease: "release {release}: helm has none of this name in {namespace}",
  unreadRelease: "release {release}: whether helm has it in {namespace} may not be seen: it keeps releases in Secrets",
  installer: {
    receipt: "  installed by {tool}: install {number} of {bundle}, begun {at}",
    removed: "  {tool} installed it (install {number} of {bundle}, begun {at}), and somebody has removed it since",
    helm: "  installed by somebody else with helm: no receipt tells of it",
    manifests: "  installed by somebody else without helm (managed by: {managedBy})",
    nobody: "  nothing of it runs here",
    unknown: "  who installed it is not known: no receipt tells of it",
  },
  takenOver: "  taken over from its owner: {takenOver}",
  gateway: "gateway",
  console: "console",
  nowhere: "{what}: no service leads to it",
  address: "{what}: {at} ({type} {service})",
  plugins: "plugins",
  noPlugins: "plugins: none",
  object: "object",
  state: "state",
  states: { ...phaseStates.en, running: "running", undone: "undone" },
  on: "on",
  off: "off",
  absent: "-",
  phase: "phase",
  priority: "priority",
  inGateway: "in the gateway",
  gatewayHas: { all: "yes", some: "not in every pod", missing: "no", none: "not seen" },
  inBundle: "in the bundle",
  live: "in the cluster",
  receipts: "receipts in {folder}",
  noReceipts: "receipts: none in {folder}",
  beside: "  beside the release: {name}, of install {number}",
  install: "install",
  started: "begun (UTC)",
  lastCheck: "last check: {state}, {at}, by install {number}",
  neverChecked: "last check: none that a receipt tells of",
  newer: "newer in the bundle: {kind} {name} {now} → {carried}",
  kinds: { chart: "chart", plugin: "plugin" },
  nothingNewer: "newer in the bundle: nothing",
  unread: "not read: {what}: {why}",
  unreadNames: { releases: "helm's releases", receipts: "receipts", "receipt-beside": "the receipt beside the release", workloads: "workloads", services: "services", plugins: "plugins", gateway: "which plugins the gateway has" },
  revision: "revision",
  chart: "chart",
  back: "back to it",
  current: "this is it",
  noHistory: "helm has no release {release} in {namespace}, and no receipt tells of one",
};

const zh: StatusWords = {
  site: "命名空间 {namespace} 中的安装 {release}，镜像仓库 {prefix}",
  release: "安装 {release}：{chart} {version}，修订版本 {revision}，{state}",
  noRelease: "安装 {release}：helm 在 {namespace} 中没有这个名称",
  unreadRelease: "安装 {release}：无权查看 helm 在 {namespace} 中是否有它（helm 把安装保存在 Secret 中）",
  installer: {
    receipt: "  由 {tool} 安装：{bundle} 的第 {number} 次安装，始于 {at}",
    removed: "  曾由 {tool} 安装（{bundle} 的第 {number} 次安装，始于 {at}），之后被他人移除",
    helm: "  由他人用 helm 安装：没有任何回执记录它",
    manifests: "  由他人安装，未使用 helm（管理者：{managedBy}）",
    nobody: "  这里没有运行它的任何内容",
    unknown: "  不知道由谁安装：没有任何回执记录它",
  },
  takenOver: "  接管自原所有者：{takenOver}",
  gateway: "网关",
  console: "控制台",
  nowhere: "{what}：没有 Service 通向它",
  address: "{what}：{at}（{type} {service}）",
  plugins: "插件",
  noPlugins: "插件：无",
  object: "对象",
  state: "状态",
  states: { ...phaseStates.zh, running: "进行中", undone: "已撤销" },
  on: "已启用",
  off: "已停用",
  absent: "-",
  phase: "阶段",
  priority: "优先级",
  inGateway: "网关已加载",
  gatewayHas: { all: "是", some: "不是每个 Pod", missing: "否", none: "无法查看" },
  inBundle: "离线包中",
  live: "集群中",
  receipts: "回执位于 {folder}",
  noReceipts: "回执：{folder} 中没有",
  beside: "  集群中的副本：{name}，属于第 {number} 次安装",
  install: "安装次序",
  started: "开始时间 (UTC)",
  lastCheck: "上次检查：{state}，{at}，由第 {number} 次安装执行",
  neverChecked: "上次检查：没有回执记录过检查",
  newer: "离线包中更新的内容：{kind} {name} {now} → {carried}",
  kinds: { chart: "chart", plugin: "插件" },
  nothingNewer: "离线包中更新的内容：无",
  unread: "未能读取：{what}：{why}",
  unreadNames: { releases: "helm 的安装记录", receipts: "回执", "receipt-beside": "集群中的回执", workloads: "工作负载", services: "Service", plugins: "插件", gateway: "网关已加载哪些插件" },
  revision: "修订版本",
  chart: "chart",
  back: "可回滚",
  current: "当前",
  noHistory: "helm 在 {namespace} 中没有安装 {release}，也没有回执记录过它",
};

export const statusWords: Readonly<Record<Language, StatusWords>> = { en, zh };
