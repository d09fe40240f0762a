import type { Language } from "../language.ts";
import { visible } from "../width.ts";

/** What systems and libraries answer by a code alone, said; the code stays beside it, since administrators look for it. */
const byCode: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  ENOENT: ["there is no such file", "没有这个文件"],
  EACCES: ["this user may not", "当前用户没有权限"],
  EPERM: ["this user may not", "当前用户没有权限"],
  EISDIR: ["it is a folder", "它是目录，不是文件"],
  ENOTDIR: ["a part of the path is a file", "路径中有一段是文件，不是目录"],
  EROFS: ["the disk is mounted read-only", "磁盘以只读方式挂载"],
  EIO: ["the disk does not give or take the bytes", "磁盘无法读出或写入"],
  EEXIST: ["something else is there", "该处已有其他内容"],
  EADDRINUSE: ["another program listens there", "已有其他程序在监听"],
  EADDRNOTAVAIL: ["this host has no such address", "本机没有这个地址"],
  ECONNREFUSED: ["nothing listens there", "该地址没有程序在监听"],
  ECONNRESET: ["the connection was cut", "连接被切断"],
  EHOSTUNREACH: ["no way leads there", "网络不可达"],
  ENETUNREACH: ["no way leads there", "网络不可达"],
  ETIMEDOUT: ["no answer in time", "超时没有应答"],
  UND_ERR_CONNECT_TIMEOUT: ["no answer in time", "超时没有应答"],
  ENOTFOUND: ["no DNS server knows the name", "DNS 无法解析该域名"],
  EAI_AGAIN: ["no DNS server answered", "DNS 服务器没有应答"],
};

/** Reasons of our own. */
const byWords: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  "not set": ["it is not set", "未设置"],
  empty: ["it is empty", "内容为空"],
  "neither is set": ["neither of the two is set", "两者均未设置"],
  "not JSON": ["it is not JSON", "不是 JSON"],
  EOF: ["it is shorter than it was when it was opened", "读到的内容比打开时短"],
  name: ["its name", "名称不允许"],
  "public key": ["it is a public key; who signs has the private one beside it, without .pub", "它是公钥；签名要用旁边不带 .pub 的私钥"],
  passphrase: ["it has a passphrase; without: openssl pkey -in KEY -out NEW", "它带有口令；去掉口令：openssl pkey -in 密钥 -out 新密钥"],
  "no key": ["no key in PEM is in it", "其中没有 PEM 格式的密钥"],
};

/** `ECONNREFUSED 10.0.0.5:443`, in the reader's words; what nobody here knows stays as its author wrote it. */
export function reasonWords(reason: string, language: Language): string {
  const at = language === "zh" ? 1 : 0;
  const own = byWords[reason]?.[at];
  if (own !== undefined) return own;
  const code = /^[A-Z][A-Z_]+\b/.exec(reason)?.[0] ?? "";
  const known = byCode[code]?.[at];
  if (known === undefined) return visible(reason);
  return language === "zh" ? `${known}（${visible(reason)}）` : `${known} (${visible(reason)})`;
}

/** What a chart repository or an archive has in the place of what was asked for. */
export function chartWords(why: string, language: Language): string {
  const [, place, has] = /^(\S+(?:\/index\.yaml|\.tgz)): ((?:[\w.+-]+(?:, | |$))+)$/.exec(why) ?? [];
  if (place === undefined || has === undefined) return visible(why);
  return visible(language === "zh" ? `${place} 中只有 ${has}` : `${place} has only ${has}`);
}
