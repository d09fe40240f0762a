import { printBytes } from "../std/bytes.ts";
import { fill } from "./fill.ts";
import type { Language } from "./language.ts";
import { visible } from "./width.ts";

/** What a site must be asked for before an install, by whoever hands the form in. */
export interface Form {
  readonly bundle: string;
  /** sha256 of bundle.json. */
  readonly id: string;
  readonly bytes: number;
  readonly platforms: readonly string[];
  readonly kubeVersion: string;
  readonly host: string;
  readonly project: string;
  /** Unique bytes of what is pushed: what a quota counts, at most. */
  readonly pushed: number;
  readonly largestBlob: number;
  readonly names: readonly string[];
  readonly creates: boolean;
  readonly robot: boolean;
  readonly secret: string;
  readonly ca: boolean;
  readonly plainHttp: boolean;
  readonly namespace: string;
  readonly release: string;
  readonly inside: readonly string[];
  readonly plugins: readonly string[];
  /** Where the gateway fetches plugins, if it does. */
  readonly pluginsFrom: string | undefined;
  readonly roles: string;
  readonly rolesFile: string;
}

type Part =
  | "title"
  | "about"
  | "harbor"
  | "project"
  | "create"
  | "quota"
  | "push"
  | "pull"
  | "robot"
  | "account"
  | "policies"
  | "body"
  | "names"
  | "cluster"
  | "version"
  | "space"
  | "rights"
  | "token"
  | "nodes"
  | "ca"
  | "plain"
  | "nodeConfig"
  | "ports"
  | "portHost"
  | "portApi"
  | "portNodes"
  | "portGateway"
  | "portOwn"
  | "handed"
  | "sign";

const say: Readonly<Record<Language, Readonly<Record<Part, string>>>> = {
  en: {
    title: "Request: {bundle} on {host}/{project} and in namespace {namespace}",
    about:
      "Written by `higress-airgap site form` from the bundle and the site file. Bundle: {bytes}, for {platforms}, sha256 of its bundle.json {id}.",
    harbor: "1. For the administrator of the registry",
    project: "Project `{project}` on `{host}`: no proxy cache, no read-only mode.",
    create: "We create the project ourselves: our account must be allowed to create projects.",
    quota: "Quota: at least {pushed} free in it (less where layers are there already).",
    push: "An account that pushes: a robot of the project with `repository: pull` and `repository: push`, or a member who is Developer or higher. For better answers before the install also `project: read`, `quota: read`, `immutable-tag: list`.",
    pull: "An account that pulls, for pods and gateway (secret `{secret}`): a robot of the project with `repository: pull` only, which does not expire.",
    robot:
      "We create the robot that pulls ourselves (`pull.robot: true`): the account that pushes must then be a person who is administrator of the project; Harbor lets no robot of a project create another.",
    account: "Passwords not on paper and not on the stick: {password}.",
    policies:
      "Off for this project, or with an exception for it: “prevent vulnerable images from running” and content trust (Harbor answers 412 to nodes), and rules that keep these tags immutable while they are pushed.",
    body: "A proxy in front of it must take bodies of {largest} (nginx: `client_max_body_size 0`).",
    names: "What will be there ({count} names):",
    cluster: "2. For the administrator of the cluster",
    version: "Kubernetes {kubeVersion} is what the bundle was proved for; nodes of {platforms}.",
    space: "Namespace `{namespace}`, release `{release}`. Switched on: {plugins}.",
    rights:
      "An account for the install, with the rights below and no others: `kubectl apply -f {file}`. They are made of the objects that the charts make. `escalate` and `bind` are there only because the charts bring roles of their own.",
    token:
      "Its kubeconfig, for the one evening: `kubectl create token {account} --namespace {namespace} --duration 8h`. Afterwards: `kubectl delete -f {file}` would remove the namespace, too; delete its two bindings instead.",
    nodes: "3. For whoever runs the nodes",
    ca: "Each node must trust the CA of `{host}`, and resolve that very name.",
    plain: "`{host}` speaks plain HTTP: each node must be told so.",
    nodeConfig:
      "The files for containerd, Docker, k3s and RKE2: `higress-airgap node-config --site site.yaml --out nodes`.",
    ports: "4. For whoever runs the firewall (TCP)",
    portHost: "the host of the install → `{registry}`",
    portApi: "the host of the install → the API server (as the kubeconfig names it, usually 6443)",
    portNodes: "every node → `{registry}`",
    portGateway: "pods of the gateway → `{from}` (Wasm plugins)",
    portOwn: "as before, your own: {inside}",
    handed: "Nothing is needed towards the internet.",
    sign: "Asked for by: ____________   Granted by: ____________   Date: ____________",
  },
  zh: {
    title: "申请单：在 {host}/{project} 与命名空间 {namespace} 中安装 {bundle}",
    about:
      "由 `higress-airgap site form` 根据离线包与站点文件生成。离线包：{bytes}，平台 {platforms}，其 bundle.json 的 sha256 为 {id}。",
    harbor: "一、致仓库管理员",
    project: "`{host}` 上的项目 `{project}`：不是代理缓存项目，仓库不处于只读模式。",
    create: "项目由我们创建：所用账号须有创建项目的权限。",
    quota: "配额：项目中至少有 {pushed} 可用空间（已有的层不再占用）。",
    push: "推送账号：项目机器人，权限为 `repository: pull` 与 `repository: push`；或开发者及以上角色的项目成员。若再给 `project: read`、`quota: read`、`immutable-tag: list`，安装前的检查能回答得更完整。",
    pull: "拉取账号，供 Pod 与网关使用（Secret `{secret}`）：项目机器人，仅 `repository: pull` 权限，永不过期。",
    robot:
      "拉取机器人由我们创建（`pull.robot: true`）：推送账号须为项目管理员本人的账号；Harbor 不允许项目机器人再创建机器人。",
    account: "口令不写在纸上，也不放在 U 盘里：{password}。",
    policies:
      "请对本项目关闭，或设为例外：“阻止潜在漏洞镜像”与内容信任（Harbor 会对节点返回 412），以及推送期间使这些标签不可变的规则。",
    body: "前置代理须接受 {largest} 的请求体（nginx：`client_max_body_size 0`）。",
    names: "将推送的内容（共 {count} 个名称）：",
    cluster: "二、致集群管理员",
    version: "离线包按 Kubernetes {kubeVersion} 验证；节点平台为 {platforms}。",
    space: "命名空间 `{namespace}`，release `{release}`。启用的插件：{plugins}。",
    rights:
      "安装账号，仅需下列权限：`kubectl apply -f {file}`。权限由 Chart 将创建的对象得出。其中有 `escalate` 与 `bind`，只因 Chart 自带角色。",
    token:
      "当晚使用的凭据：`kubectl create token {account} --namespace {namespace} --duration 8h`。用完后请删除它的两个绑定；`kubectl delete -f {file}` 会连命名空间一起删除。",
    nodes: "三、致节点管理员",
    ca: "每个节点须信任 `{host}` 的 CA，并能解析这一名称。",
    plain: "`{host}` 使用明文 HTTP：每个节点都须为此配置。",
    nodeConfig: "containerd、Docker、k3s、RKE2 的配置文件：`higress-airgap node-config --site site.yaml --out nodes`。",
    ports: "四、致防火墙管理员（TCP）",
    portHost: "安装主机 → `{registry}`",
    portApi: "安装主机 → API server（以 kubeconfig 为准，通常为 6443）",
    portNodes: "每个节点 → `{registry}`",
    portGateway: "网关 Pod → `{from}`（Wasm 插件）",
    portOwn: "贵方自有、照旧：{inside}",
    handed: "不需要任何通往互联网的访问。",
    sign: "申请人：____________   批准人：____________   日期：____________",
  },
};

const password: Readonly<Record<Language, string>> = {
  en: "by the way that your house has for them",
  zh: "按贵单位规定的方式交付",
};
const none: Readonly<Record<Language, string>> = { en: "none", zh: "无" };

/** Markdown, as it is printed and signed. */
export function siteForm(form: Form, language: Language): string {
  const words = say[language];
  const facts = factsOf(form, language);
  const text = (part: Part): string => visible(fill(words[part], facts));
  const asks = (parts: readonly (Part | undefined)[]): string =>
    parts.flatMap((part) => (part === undefined ? [] : [`- [ ] ${text(part)}`])).join("\n");
  return [
    `# ${text("title")}`,
    text("about"),
    `## ${text("harbor")}`,
    asks([
      "project",
      form.creates ? "create" : undefined,
      "quota",
      "push",
      form.robot ? "robot" : "pull",
      "account",
      "policies",
      "body",
    ]),
    text("names"),
    `\`\`\`text\n${form.names.map(visible).join("\n")}\n\`\`\``,
    `## ${text("cluster")}`,
    asks(["version", "space", "rights", "token"]),
    `\`\`\`yaml\n${form.roles.trimEnd()}\n\`\`\``,
    `## ${text("nodes")}`,
    asks([form.plainHttp ? "plain" : form.ca ? "ca" : undefined, "nodeConfig"]),
    `## ${text("ports")}`,
    asks([
      "portHost",
      "portApi",
      "portNodes",
      form.pluginsFrom === undefined ? undefined : "portGateway",
      form.inside.length === 0 ? undefined : "portOwn",
    ]),
    text("handed"),
    text("sign"),
    "",
  ].join("\n\n");
}

function factsOf(form: Form, language: Language) {
  const registry = /:\d+$/.test(form.host) ? form.host : `${form.host}:${form.plainHttp ? "80" : "443"}`;
  return {
    ...form,
    registry,
    bytes: printBytes(form.bytes),
    pushed: printBytes(form.pushed),
    largest: printBytes(form.largestBlob),
    platforms: form.platforms.join(" "),
    count: form.names.length,
    plugins: form.plugins.length === 0 ? none[language] : form.plugins.join(" "),
    inside: form.inside.join(" "),
    from: form.pluginsFrom ?? "",
    file: form.rolesFile,
    account: "higress-airgap-installer",
    password: password[language],
    names: "",
    roles: "",
    create: "",
    creates: "",
    robot: "",
    ca: "",
    plainHttp: "",
    pluginsFrom: "",
  };
}
