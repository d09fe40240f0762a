import type { Language } from "../language.ts";

/** The comments of the files that `init` and `site init` write, by the key that they stand above. */
export interface FileWords {
  readonly spec: Readonly<Record<SpecSection, string>>;
  readonly site: Readonly<Record<SiteSection, string>>;
}
export type SpecSection = "head" | "platforms" | "kubeVersion" | "charts" | "images" | "plugins" | "crds" | "manifests" | "tools" | "registries";
export type SiteSection = "head" | "host" | "project" | "ca" | "credentials" | "createProject" | "pull" | "cluster" | "values" | "plugins" | "trustKeys" | "registries";

const en: FileWords = {
  spec: {
    head: "What goes into the bundle. Build it on a host with internet: higress-airgap build {file}",
    platforms: "What the nodes of the cluster are: `kubectl get nodes -L kubernetes.io/arch`. Kunpeng and Phytium are linux/arm64.\nEvery platform is carried whole; leave out what you do not need.",
    kubeVersion: "The Kubernetes version of the cluster (`kubectl version`). What charts render depends on it.",
    charts: "`from` is a chart repository, oci://registry/path or a local .tgz; `mirrors` are tried when it does not answer.\n`values` decide which images are carried, and are the defaults of the install.",
    images: "Images that no chart names, such as your own applications: registry/repository:tag\nA digest behind a tag that a chart names pins that tag: registry/repository:tag@sha256:…",
    plugins: "`discover: true` also reads the console image for the plugins that it can name.\n`preset`: all, ai-gateway or none. `include` and `exclude` take single names.\n`digest` is what was published; another one is reported as drift, not refused.",
    crds: "CRD files besides those in the charts, for example standard-install.yaml of the Gateway API: - path: FILE",
    manifests: "Your own manifests; the images and plugins that they name are found and carried: - path: FILE",
    tools:
      "Executables for bin/ of the bundle, for a host inside that has none: helm (3.17 and later 3.x, or 4.1 and later) and kubectl.\nWhat is not at `path` is fetched from `from`, or from `mirrors`, and held against `sha256`. A file of yours does as well:\n  helm-linux-amd64: { path: ./helm-linux-amd64, sha256: SUM }",
    registries: "How to reach a registry: mirrors in the order in which they are tried, a CA, credentials by reference.\nExample:\n  docker.io:\n    endpoints:\n      - url: https://mirror.corp:5000\n        ca: mirror-ca.pem\n        credentials: { username: reader, passwordEnv: MIRROR_PASSWORD }",
  },
  site: {
    head: "The closed network: where things go, and how the cluster reaches them. No secret stands here; secrets are named.\nUse it on the air-gapped host: higress-airgap preflight BUNDLE --site {file}",
    host: "The name that the nodes of the cluster use for the registry, with the port unless it is 443. Prefer a DNS name:\ngateways of Istio 1.27.8 and later refuse tokens from a private IP address.",
    project: "The Harbor project, or a path prefix on a plain registry.",
    ca: "The CA that signed the certificate of the registry (PEM). With a public one, leave this out.",
    credentials: "Who pushes: a user name, and the file or environment variable that holds the password.\nWithout this, docker's config.json and its helpers are asked.",
    createProject: "Create the project when it is missing.",
    pull: "The secret that pods and plugins pull with. `credentials` here: an account with pull only; else the one that pushes.",
    cluster: "Without `kubeconfig`, KUBECONFIG or ~/.kube/config. `rolloutSeconds`: how long a rollout may take.",
    values: "Your Helm values. The relocation is laid over them: images need no attention here.\nWith several charts in the bundle they are every chart's; of one alone: releases: { nacos: { values: {} } }",
    plugins: "`mode`: oci (from the registry), http (from a file server named in `url`), none.\n`enable`: switched on in groups; one that breaks the gateway is found and switched off again.\n`manifests`: your WasmPlugin files; their URLs are rewritten.",
    trustKeys: "Public keys that bundles must be signed by (see keygen). When set, an unsigned bundle is refused.",
    registries: "When the registry is reached from here by another address than from the nodes, name it:\n  {host}:\n    endpoints:\n      - url: https://10.0.0.5:8443",
  },
};

const zh: FileWords = {
  spec: {
    head: "要打入离线包的内容。在联网主机上构建：higress-airgap build {file}",
    platforms: "集群节点的架构：`kubectl get nodes -L kubernetes.io/arch`。鲲鹏、飞腾为 linux/arm64。\n每个架构都会完整携带；去掉不需要的可明显减小体积。",
    kubeVersion: "集群的 Kubernetes 版本（`kubectl version`）；chart 的渲染结果与它有关。",
    charts: "`from` 是 chart 仓库、oci://仓库/路径，或本地 .tgz；它没有响应时依次尝试 `mirrors`。\n`values` 决定携带哪些镜像，也是安装时的默认值。",
    images: "chart 之外的镜像，例如您自己的应用：仓库地址/路径:标签\n在 chart 引用的标签之后写上摘要，即固定该标签：仓库地址/路径:标签@sha256:…",
    plugins: "`discover: true` 还会读取控制台镜像中内置的插件。\n`preset`：all、ai-gateway 或 none；`include` 和 `exclude` 写单个名称。\n`digest` 是发布时的摘要；不一致会报告，不会拒绝。",
    crds: "chart 之外的 CRD 文件，例如 Gateway API 的 standard-install.yaml：- path: 文件",
    manifests: "您自己的清单；其中的镜像和插件会被找到并携带：- path: 文件",
    tools: "放入离线包 bin/ 的程序，供没有它们的内网主机使用：helm（3.17 及以后的 3.x，或 4.1 及以后）和 kubectl。\n`path` 处没有文件时，从 `from` 或 `mirrors` 下载，并与 `sha256` 核对。也可以用自己的文件：\n  helm-linux-amd64: { path: ./helm-linux-amd64, sha256: 校验和 }",
    registries: "如何访问仓库：镜像站（按顺序尝试）、CA、凭据的来源。\n例如：\n  docker.io:\n    endpoints:\n      - url: https://mirror.corp:5000\n        ca: mirror-ca.pem\n        credentials: { username: reader, passwordEnv: MIRROR_PASSWORD }",
  },
  site: {
    head: "内网侧配置：内容放到哪里，集群如何访问。文件里不写密码，只写密码所在的文件或环境变量。\n在内网主机上使用：higress-airgap preflight 离线包 --site {file}",
    host: "节点拉取镜像时使用的仓库地址；端口不是 443 时要写出。建议用域名：\nIstio 1.27.8 及以后的网关会拒绝内网 IP 上的令牌服务。",
    project: "Harbor 项目；普通仓库则为路径前缀。",
    ca: "签发仓库证书的 CA（PEM）。若是公共 CA，请去掉此项。",
    credentials: "推送账号：用户名，以及存放密码的文件或环境变量。\n不写则使用 docker 的 config.json 及其凭据助手。",
    createProject: "项目不存在时创建它。",
    pull: "Pod 和插件拉取时使用的 Secret。可在此写只读账号的 `credentials`；不写则使用推送账号。",
    cluster: "不写 `kubeconfig` 时使用 KUBECONFIG 或 ~/.kube/config。`rolloutSeconds`：滚动更新的最长时间。",
    values: "您的 Helm values；镜像地址会自动改写，不用在这里写。\n包中有多个 chart 时，它们用于每一个；只用于其中一个时写：releases: { nacos: { values: {} } }",
    plugins: "`mode`：oci（从仓库）、http（从 `url` 所指的文件服务器）、none。\n`enable`：分组启用；使网关异常的插件会被找出并自动关闭。\n`manifests`：您的 WasmPlugin 文件，其 URL 会被改写。",
    trustKeys: "离线包必须由这些公钥签名（见 keygen）。设置后拒绝未签名的包。",
    registries: "若本机访问仓库的地址与节点不同，请写出：\n  {host}:\n    endpoints:\n      - url: https://10.0.0.5:8443",
  },
};

export const fileWords: Readonly<Record<Language, FileWords>> = { en, zh };
