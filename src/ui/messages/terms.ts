import type { CapacityOf, ClusterQuestion, ProjectCreation, PullPolicy, RegistryKind, RegistryQuestion } from "../../model/finding.ts";

import type { DeniedBecause, ImageFault, TlsFault } from "../../model/failure.ts";

/** Facts with a closed set of values, which are named in the reader's language; machines get the values. */
export type Term =
  | `question.${RegistryQuestion | ClusterQuestion}`
  | `kind.${RegistryKind}`
  | `creation.${ProjectCreation}`
  | `policy.${PullPolicy}`
  | `resource.${CapacityOf}`
  | "namespace."
  | "from."
  | "set."
  | "at."
  | "owner."
  | `fault.${TlsFault}`
  | "why.harbor-only"
  | `why.${ImageFault}`
  | "has."
  | "holds.-"
  | "answer.-"
  | "as.anonymous"
  | "items."
  | "why.credentials"
  | "where.before"
  | "where.undone"
  | "where.sources"
  | "where.target";
export type Terms = Readonly<Record<Term, string>>;

export const enTerms: Terms = {
  "question.all": "everything else",
  "question.tls": "the certificate",
  "question.credentials": "credentials",
  "question.push": "the right to push",
  "question.pull": "the right to pull",
  "question.project": "the project",
  "question.quota": "storage quota",
  "question.read-only": "read-only mode",
  "question.health": "health",
  "question.immutable": "immutable tags",
  "question.upload": "upload size limit",
  "question.harbor": "whether it is a Harbor",
  "question.head": "HEAD of a manifest",
  "question.rights": "rights of this account",
  "question.nodes": "nodes",
  "question.capacity": "capacity",
  "question.storage classes": "storage classes",
  "question.services": "services",
  "question.ingress classes": "ingress classes",
  "question.CRDs": "CRDs",
  "question.other meshes": "other meshes",
  "question.plugins": "plugins",
  "question.owners": "whose objects of these names are",
  "question.drift": "changes by hand",
  "question.release": "the release",
  "question.releases elsewhere": "releases of other namespaces",
  "why.harbor-only": "only Harbor knows",
  "why.schema 1": "it is of Docker's schema 1, which registries and nodes of today do not read",
  "why.artifact": "it is an artifact and no image of containers",
  "why.index in index": "its index holds indexes deeper than anybody builds them",
  "has.": "none",
  "holds.-": "nothing",
  "answer.-": "no reason given",
  "as.anonymous": "anonymous",
  "items.": "the bundle as a whole",
  "why.credentials": "credentials",
  "where.before": "what came before the last install",
  "where.undone": "the installs that stand: all of them have been undone",
  "where.sources": "any source that --from names",
  "where.target": "the registry, though it took it",
  "fault.unknown-ca": "its certificate was signed by a CA that is not trusted here",
  "fault.missing-intermediate": "its certificate does not lead to the CA that is named for it",
  "fault.expired": "its certificate has expired",
  "fault.not-yet-valid": "its certificate is not valid yet",
  "fault.wrong-name": "its certificate is for another name",
  "fault.no-san": "its certificate names no host (no subjectAltName)",
  "fault.old-protocol": "it speaks only TLS versions or keys that are too old",
  "fault.plain-http": "it answers https with plain http",
  "fault.client-certificate": "it wants a client certificate, or does not take the one it got",
  "fault.handshake": "the TLS handshake failed",
  "kind.harbor": "Harbor",
  "kind.distribution": "a plain registry",
  "kind.nexus": "Nexus",
  "kind.artifactory": "Artifactory",
  "kind.azure": "Azure Container Registry",
  "kind.aliyun": "Aliyun Container Registry",
  "kind.gitea": "Gitea",
  "kind.gitlab": "GitLab",
  "kind.unknown": "a registry of unknown kind",
  "creation.everyone": "every user",
  "creation.adminonly": "administrators only",
  "creation.unknown": "not known",
  "policy.prevent_vul": "prevent vulnerable images from running",
  "policy.content_trust": "only signed artifacts (content trust)",
  "resource.cpu": "CPUs",
  "resource.memory": "of memory",
  "resource.cpu of a pod": "CPUs in one pod",
  "resource.memory of a pod": "of memory in one pod",
  "resource.memory of the gateway": "of memory in the gateway with its plugins",
  "namespace.": "the whole cluster",
  "from.": "nothing",
  "set.": "nothing",
  "at.": "no address yet",
  "owner.": "nobody",
};

export const zhTerms: Terms = {
  "question.all": "其余各项",
  "question.tls": "证书",
  "question.credentials": "凭据",
  "question.push": "推送权限",
  "question.pull": "拉取权限",
  "question.project": "项目",
  "question.quota": "存储配额",
  "question.read-only": "只读模式",
  "question.health": "健康状态",
  "question.immutable": "不可变标签",
  "question.upload": "上传大小限制",
  "question.harbor": "是否为 Harbor",
  "question.head": "清单的 HEAD 请求",
  "question.rights": "当前账号的权限",
  "question.nodes": "节点",
  "question.capacity": "容量",
  "question.storage classes": "存储类",
  "question.services": "Service",
  "question.ingress classes": "IngressClass",
  "question.CRDs": "CRD",
  "question.other meshes": "其他服务网格",
  "question.plugins": "插件",
  "question.owners": "同名对象的归属",
  "question.drift": "手工修改",
  "question.release": "安装",
  "question.releases elsewhere": "其他命名空间中的安装",
  "why.harbor-only": "只有 Harbor 能回答",
  "why.schema 1": "它是 Docker schema 1 格式，如今的仓库和节点都不再读取",
  "why.artifact": "它是制品，不是容器镜像",
  "why.index in index": "它的索引嵌套过深",
  "has.": "无",
  "holds.-": "无",
  "answer.-": "未说明原因",
  "as.anonymous": "匿名用户",
  "items.": "整个离线包",
  "why.credentials": "凭据",
  "where.before": "上一次安装之前的记录",
  "where.undone": "现有安装（此前的安装均已撤销）",
  "where.sources": "--from 指定的各个来源",
  "where.target": "目标仓库（它曾确认收到）",
  "fault.unknown-ca": "其证书由本机不信任的 CA 签发",
  "fault.missing-intermediate": "其证书无法追溯到已指定的 CA",
  "fault.expired": "其证书已过期",
  "fault.not-yet-valid": "其证书尚未生效",
  "fault.wrong-name": "其证书属于另一个域名",
  "fault.no-san": "其证书没有写主机名（没有 subjectAltName）",
  "fault.old-protocol": "它只支持过旧的 TLS 版本或密钥",
  "fault.plain-http": "它对 https 返回明文 http",
  "fault.client-certificate": "它要求客户端证书，或不接受所提供的证书",
  "fault.handshake": "TLS 握手失败",
  "kind.harbor": "Harbor",
  "kind.distribution": "普通镜像仓库",
  "kind.nexus": " Nexus",
  "kind.artifactory": " Artifactory",
  "kind.azure": " Azure 容器镜像仓库",
  "kind.aliyun": "阿里云容器镜像服务",
  "kind.gitea": " Gitea",
  "kind.gitlab": " GitLab",
  "kind.unknown": "未知类型的镜像仓库",
  "creation.everyone": "所有用户",
  "creation.adminonly": "仅管理员",
  "creation.unknown": "未知",
  "policy.prevent_vul": "阻止存在漏洞的镜像运行",
  "policy.content_trust": "仅允许已签名的制品（内容信任）",
  "resource.cpu": "个 CPU",
  "resource.memory": "内存",
  "resource.cpu of a pod": "个 CPU（单个 Pod）",
  "resource.memory of a pod": "内存（单个 Pod）",
  "resource.memory of the gateway": "内存（网关及其插件）",
  "namespace.": "整个集群",
  "from.": "无",
  "set.": "无",
  "at.": "尚无地址",
  "owner.": "无主",
};

/** What to do about each cause, in the place of the hint that is `{fault}`, `{because}` or `{why}`. */
export interface Remedies {
  readonly tls: Readonly<Record<`fault.${TlsFault}`, string>>;
  readonly denied: Readonly<Record<`because.${DeniedBecause}`, string>>;
  readonly image: Readonly<Record<`why.${ImageFault}`, string>>;
}

const enTls: Remedies["tls"] = {
  "fault.unknown-ca": "Get the CA that signed it (PEM) from its administrator, and write `ca: FILE` beside the host or its endpoint; `insecure: true` only when you know why.",
  "fault.missing-intermediate": "Either another CA signed it, or the server leaves out the certificate between: put the whole chain into the server's certificate file, or append the intermediate to the file of `ca:`.",
  "fault.expired": "Have the certificate renewed, and check the clock of this host with date: nodes refuse it, too.",
  "fault.not-yet-valid": "Check the clocks of this host and of the registry with date.",
  "fault.wrong-name": "Use the name that the certificate has as registry.host, or have a certificate issued for this one.",
  "fault.no-san": "Have a certificate issued with subjectAltName: nodes and gateways do not look at the common name.",
  "fault.old-protocol": "Have its proxy speak TLS 1.2 or later (nginx: ssl_protocols) with a key of 2048 bits or more.",
  "fault.plain-http": "Check the port. Where it is meant to be plain http, write plainHttp: true, or http:// in its endpoint.",
  "fault.client-certificate": "Name a certificate and key that it takes with `clientCertificate: { cert, key }` (PEM files).",
  "fault.handshake": "It may want a client certificate (`clientCertificate: { cert, key }`), have no cipher that we have, or stand behind a proxy that breaks TLS: openssl s_client -connect HOST:PORT -showcerts shows what it sends.",
};

const zhTls: Remedies["tls"] = {
  "fault.unknown-ca": "请向其管理员索取签发它的 CA（PEM），在该主机或其端点旁写 `ca: 文件`；只有清楚原因时才用 `insecure: true`。",
  "fault.missing-intermediate": "要么它由另一个 CA 签发，要么服务器没有发送中间证书：请在服务器的证书文件中放入完整证书链，或把中间证书追加到 `ca:` 指定的文件。",
  "fault.expired": "请更新证书，并用 date 检查本机时钟：节点同样会拒绝它。",
  "fault.not-yet-valid": "请用 date 检查本机和仓库的时钟。",
  "fault.wrong-name": "请把证书中的域名用作 registry.host，或为当前域名签发证书。",
  "fault.no-san": "请签发带 subjectAltName 的证书：节点和网关不看 Common Name。",
  "fault.old-protocol": "请让其代理使用 TLS 1.2 或更高版本（nginx：ssl_protocols），密钥不少于 2048 位。",
  "fault.plain-http": "请检查端口。若确实应使用明文 http，请写 plainHttp: true，或在端点中写 http://。",
  "fault.client-certificate": "请用 `clientCertificate: { cert, key }`（PEM 文件）指定它接受的证书和私钥。",
  "fault.handshake": "它可能要求客户端证书（`clientCertificate: { cert, key }`），可能没有共同的加密套件，也可能中间的代理破坏了 TLS：用 openssl s_client -connect 主机:端口 -showcerts 查看它发送的内容。",
};

const enDenied: Remedies["denied"] = {
  "because.quota": "Raise the storage quota of the project (Harbor: Administration > Project Quotas), or delete what is not used and run its garbage collection.",
  "because.read-only": "Switch it off: in Harbor under Administration > Configuration > System Settings > Repository Read Only, in a plain registry storage.maintenance.readonly.",
  "because.proxy": "The project is a proxy cache, which takes no pushes: choose another as registry.project.",
  "because.other": "Ask the registry's administrator: rights that are missing answer like this.",
};

const zhDenied: Remedies["denied"] = {
  "because.quota": "请提高项目的存储配额（Harbor：系统管理 > 项目定额），或删除不用的内容并执行垃圾清理。",
  "because.read-only": "请关闭只读：Harbor 在 系统管理 > 配置管理 > 系统设置 > 仓库只读，普通仓库为 storage.maintenance.readonly。",
  "because.proxy": "该项目是代理缓存，不接受推送：请在 registry.project 中换一个项目。",
  "because.other": "请联系仓库管理员：权限不足会这样返回。",
};

const enImage: Remedies["image"] = {
  "why.schema 1": "Push it again by a docker or skopeo of today and name what that made, or name another tag.",
  "why.artifact": "Under `images:` of the spec, a plugin does not belong: write it under `plugins.list` (`- { name: NAME, ref: oci://… }`), and a chart under `charts:`. Anything else, and what a chart or manifest names: --allow-missing carries it as it is.",
  "why.index in index": "Name another tag, or have it pushed again with a single index above its images.",
};

const zhImage: Remedies["image"] = {
  "why.schema 1": "请用当前版本的 docker 或 skopeo 重新推送并改用推送后的名称，或换一个标签。",
  "why.artifact": "插件不能写在规格文件的 `images:` 下，请改写在 `plugins.list` 下（`- { name: 名称, ref: oci://… }`）；chart 写在 `charts:` 下。其他制品，以及 chart 或 manifest 引用的制品：加 --allow-missing 原样携带。",
  "why.index in index": "请换一个标签，或重新推送，使镜像之上只有一层索引。",
};

export const enRemedies: Remedies = { tls: enTls, denied: enDenied, image: enImage };
export const zhRemedies: Remedies = { tls: zhTls, denied: zhDenied, image: zhImage };
