import type { CapacityOf, ClusterQuestion, ProjectCreation, PullPolicy, RegistryKind, RegistryQuestion } from "../../model/finding.ts";

import type { ImageFault, TlsFault } from "../../model/failure.ts";

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
  | "has.-"
  | "there.-"
  | "wanted.-"
  | "got.-"
  | "near.-"
  | "carried.-"
  | "known."
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
  "has.-": "none",
  "there.-": "no plugin at all",
  "wanted.-": "no such file",
  "got.-": "no such file",
  "near.-": "none that is like it",
  "carried.-": "nothing of it",
  "known.": "no chart",
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
  "has.-": "无",
  "there.-": "没有任何插件",
  "wanted.-": "没有这个文件",
  "got.-": "没有这个文件",
  "near.-": "没有相近的",
  "carried.-": "未携带",
  "known.": "没有 chart",
  "holds.-": "无",
  "answer.-": "未说明原因",
  "as.anonymous": "匿名用户",
  "items.": "整个离线包",
  "why.credentials": "凭据",
  "where.before": "上一次安装之前没有其他安装",
  "where.undone": "此前的安装均已撤销",
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
