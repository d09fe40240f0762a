import type { DeniedBecause, ImageFault, TlsFault } from "../../model/failure.ts";

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
