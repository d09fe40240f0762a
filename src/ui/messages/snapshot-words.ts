import type { LeftOutReason, SnapshotQuestion } from "../../model/cluster-snapshot.ts";
import type { Language } from "../language.ts";

/** Words of `inspect-cluster`: its README, and the comments in its site file. */
export interface SnapshotWords {
  readonly title: string;
  readonly made: string;
  readonly next: string;
  readonly review: string;
  readonly inside: string;
  readonly files: string;
  readonly file: Readonly<Record<SnapshotFile, string>>;
  readonly images: string;
  readonly hosts: string;
  readonly leftOut: string;
  readonly reasons: Readonly<Record<LeftOutReason, string>>;
  readonly unread: string;
  readonly questions: Readonly<Record<SnapshotQuestion, string>>;
  readonly nothing: string;
  readonly insideHead: string;
}

export type SnapshotFile = "spec" | "site" | "values" | "chart" | "plugins" | "incomplete" | "settings" | "objects";

const en: SnapshotWords = {
  title: "release {release} in {namespace}: {chart} {version}, installed by {by}",
  made: "Nothing was changed in the cluster. What follows was read from it, without what looks like a secret; a chart is as it was.",
  next: "Build it on a host with internet:",
  review: "Look through {files} before they leave the house: a secret whose name does not say so cannot be told from any other text.",
  inside: "Inside, complete site.yaml, install, then apply the rest:",
  files: "files",
  file: {
    spec: "what goes into the bundle",
    site: "the beginning of the site file",
    values: "what the owner of the release set",
    chart: "the chart as it was given, or as helm keeps it",
    plugins: "WasmPlugins; the site file names them, and install applies them with their URLs moved",
    incomplete: "WasmPlugins that lack a secret: fill it in, then name the file under plugins.manifests of site.yaml",
    settings: "settings that the chart makes and people may have changed; put them in the place of those that the install made",
    objects: "registries, routes and settings; apply them after the install",
  },
  images: "images that run",
  hosts: "hosts outside of the cluster that plugins, registries and routes name (site.yaml has them as a comment)",
  leftOut: "left out, or to be looked at",
  reasons: {
    secret: "looks like a secret: {where}",
    "secret-object": "a Secret that is named and must be made inside: {where}",
    "values-unknown": "nobody wrote down, or may read, what was set for {where}: set it in values.json",
    "revision-undeployed": "the last revision did not go through, so that chart and values may be others than those that run: {where}",
    "chart-unknown": "helm does not keep this chart whole, or its version may not be read: give it, packed, with --chart; the spec names {where}",
    "plugin-unreachable": "its module comes from no registry and cannot be carried: {where}",
    "plugin-incomplete": "lacks a secret, and is not applied by itself: {where}",
    "image-moved": "the tag moved while it ran, so that no digest is pinned: {where}",
    "image-undigested": "no node tells the digest, so that none is pinned: {where}",
    "changed-by-hand": "changed by hand since helm was there, and in no value: set it in values.json: {where}",
    "other-class": "of another class, which another controller reads: {where}",
    "other-namespace": "outside of the release's namespace, so that another mesh may be meant: {where}",
    namespace: "a namespace that must be there before objects.json is applied: {where}",
  },
  unread: "not read: {what}: {why}",
  questions: { release: "helm's releases", chart: "the chart that helm keeps", workloads: "workloads", pods: "pods", nodes: "nodes", plugins: "plugins", configuration: "registries, routes and settings" },
  nothing: "nothing",
  insideHead: "Named by plugins, registries and routes of the cluster that was read. Take those over that are reachable from inside:",
};

const zh: SnapshotWords = {
  title: "命名空间 {namespace} 中的安装 {release}：{chart} {version}，安装方式：{by}",
  made: "集群未作任何改动。以下内容均读自该集群，其中不含看起来像机密的内容；chart 保持原样。",
  next: "在联网主机上构建：",
  review: "带出之前请检查 {files}：名称上看不出是机密的内容，无法与普通文本区分。",
  inside: "在内网补全 site.yaml 并安装，然后应用其余内容：",
  files: "文件",
  file: {
    spec: "要打入离线包的内容",
    site: "站点文件的开头",
    values: "该安装的所有者设置的值",
    chart: "给出的 chart，或 helm 保存的 chart",
    plugins: "WasmPlugin；站点文件已引用，安装时会改写其 URL 并应用",
    incomplete: "缺少机密内容的 WasmPlugin：补全后写入 site.yaml 的 plugins.manifests",
    settings: "由 chart 创建、可能被人修改过的设置；安装之后用它们替换",
    objects: "注册中心、路由和设置；安装之后再应用",
  },
  images: "正在运行的镜像",
  hosts: "插件、注册中心和路由所指的集群外主机（已作为注释写入 site.yaml）",
  leftOut: "未写出，或需要查看",
  reasons: {
    secret: "看起来是机密内容：{where}",
    "secret-object": "被引用的 Secret，需在内网创建：{where}",
    "values-unknown": "没有人记录、或无权读取 {where} 的设置：请写入 values.json",
    "revision-undeployed": "最后一个修订版本未部署成功，chart 和设置可能与实际运行的不同：{where}",
    "chart-unknown": "helm 没有完整保存该 chart，或无权读取其版本：请用 --chart 给出打包的 chart；规格文件中写的是 {where}",
    "plugin-unreachable": "其模块不来自任何仓库，无法携带：{where}",
    "plugin-incomplete": "缺少机密内容，不会自动应用：{where}",
    "image-moved": "运行期间标签发生了变化，因此未固定摘要：{where}",
    "image-undigested": "没有节点给出摘要，因此未固定：{where}",
    "changed-by-hand": "在 helm 之后被人手工修改，不在任何 values 中，请写入 values.json：{where}",
    "other-class": "属于其他类别，由别的控制器读取：{where}",
    "other-namespace": "不在该安装的命名空间中，可能属于其他网格：{where}",
    namespace: "应用 objects.json 之前必须存在的命名空间：{where}",
  },
  unread: "未能读取：{what}：{why}",
  questions: { release: "helm 的安装记录", chart: "helm 保存的 chart", workloads: "工作负载", pods: "Pod", nodes: "节点", plugins: "插件", configuration: "注册中心、路由和设置" },
  nothing: "无",
  insideHead: "以下主机由所读集群的插件、注册中心和路由引用。请保留其中内网可达的：",
};

export const snapshotWords: Readonly<Record<Language, SnapshotWords>> = { en, zh };
