import type { Language } from "../language.ts";

/** Words of `render`: the README beside the manifests, and the headings of a diff. */
export interface ExportWords {
  readonly title: string;
  readonly order: string;
  readonly proof: string;
  readonly proofFailed: string;
  readonly namespace: string;
  readonly pullSecret: string;
  readonly before: string;
  readonly crds: string;
  readonly release: string;
  readonly releaseByHelm: string;
  readonly overlay: string;
  readonly plugins: string;
  readonly secretsInside: string;
  readonly unchanged: string;
  readonly created: string;
  readonly removed: string;
  readonly notCompared: string;
  readonly hooks: string;
}

const en: ExportWords = {
  title: "{bundle} on {namespace}",
  order: "Apply in this order; each step can be repeated. The images and plugins must be in {prefix} first: `higress-airgap push`.",
  proof: "Proved: {images} image references and {strings} strings were read, and all of them stay inside {prefix}.",
  proofFailed: "NOT proved: {findings} findings, see proof.json. Do not apply this.",
  namespace: "The namespace.",
  pullSecret: "The pull secret. It is not written here; make it from a docker config that can pull:",
  before: "What must be there before the first pod: the CA of the registry, and the accounts that pull with the secret.",
  crds: "The CRDs, which helm would not upgrade.",
  release: "The release as helm renders it, hooks included.",
  releaseByHelm: "Or by helm itself, with the chart out of the bundle: then it can be upgraded and rolled back.",
  overlay: "What values cannot express, by a field manager of its own, so that helm leaves it alone.",
  plugins: "The plugins, one after another: look at the gateway before the next one.",
  secretsInside: "Values and manifests may hold secrets of yours: keep this folder as you keep those.",
  unchanged: "no change",
  created: "new: {names}",
  removed: "removed by the upgrade: {names}",
  notCompared: "not compared, since helm hides what is in them: {names}",
  hooks: "hooks, which helm runs again: {names}",
};

const zh: ExportWords = {
  title: "在 {namespace} 上安装 {bundle}",
  order: "请按此顺序应用；每一步都可以重复执行。镜像和插件须先推送到 {prefix}：`higress-airgap push`。",
  proof: "已证明：读取了 {images} 个镜像引用和 {strings} 个字符串，全部位于 {prefix} 之内。",
  proofFailed: "未能证明：有 {findings} 个问题，见 proof.json。请勿应用。",
  namespace: "命名空间。",
  pullSecret: "拉取密钥。这里不写出其内容；请用可以拉取的 docker 配置创建：",
  before: "第一个 Pod 启动之前必须存在的内容：仓库的 CA，以及使用拉取密钥的账号。",
  crds: "CRD；helm 不会升级它们。",
  release: "helm 渲染出的安装内容，包括 hook。",
  releaseByHelm: "或者用离线包里的 chart 交给 helm 安装：之后可以升级和回滚。",
  overlay: "values 无法表达的内容；使用独立的字段管理者，helm 不会改动。",
  plugins: "插件，逐个应用：确认网关正常后再应用下一个。",
  secretsInside: "values 和清单中可能含有您的机密：请像保管机密一样保管这个目录。",
  unchanged: "没有变化",
  created: "新建：{names}",
  removed: "升级时移除：{names}",
  notCompared: "未比较（helm 隐藏其内容）：{names}",
  hooks: "hook，由 helm 再次运行：{names}",
};

export const exportWords: Readonly<Record<Language, ExportWords>> = { en, zh };
