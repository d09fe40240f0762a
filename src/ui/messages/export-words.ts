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
  readonly imagesFirst: string;
  readonly commit: string;
  readonly commitSecrets: string;
  readonly jobs: string;
  readonly applyFolder: string;
  readonly applyArgocd: string;
  readonly applyFlux: string;
  readonly gitSecret: string;
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
  imagesFirst: "The images and plugins must be in {prefix} first: `higress-airgap push`.",
  commit: "Commit this folder, without secrets.yaml, at {path} of {url}.",
  commitSecrets: "These Secrets are in secrets.yaml alone: {names}. Make them on the cluster, and do not commit them; where they are there already, leave them.",
  jobs: "A Job cannot be changed: remove those of the version before. Helm would run them as hooks; here they are objects like all others.",
  applyFolder: "Apply the parts in their order: the CRDs must be established before what needs them.",
  applyArgocd: "Give Argo CD the Application; it applies the parts as sync waves. It must know the repository and its credentials.",
  applyFlux: "Give Flux its source and one Kustomization for each part; each waits for the one before.",
  gitSecret: "The credentials of the repository, which are not written here; Flux reads this Secret:",
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
  imagesFirst: "镜像和插件须先推送到 {prefix}：`higress-airgap push`。",
  commit: "把这个目录（不含 secrets.yaml）提交到 {url} 的 {path}。",
  commitSecrets: "以下 Secret 只在 secrets.yaml 中：{names}。请在集群上创建，不要提交；已存在的请保持不变。",
  jobs: "Job 无法更改：请先删除上一版本的 Job。helm 会把它们作为 hook 运行；在这里它们与其他对象一样应用。",
  applyFolder: "按顺序应用各部分：CRD 就绪之后才能应用依赖它们的内容。",
  applyArgocd: "把 Application 交给 Argo CD；它按同步波次应用各部分。Argo CD 必须已配置该仓库及其凭据。",
  applyFlux: "把来源和各部分的 Kustomization 交给 Flux；每一个都等待前一个完成。",
  gitSecret: "Git 仓库的凭据，这里不写出其内容；Flux 读取此 Secret：",
  unchanged: "没有变化",
  created: "新建：{names}",
  removed: "升级时移除：{names}",
  notCompared: "未比较（helm 隐藏其内容）：{names}",
  hooks: "hook，由 helm 再次运行：{names}",
};

export const exportWords: Readonly<Record<Language, ExportWords>> = { en, zh };
