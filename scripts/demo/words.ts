import { printBytes } from "../../src/std/bytes.ts";
import type { Language } from "../../src/ui/language.ts";
import type { Closed } from "./closed-host.ts";
import type { Built } from "./connected-host.ts";
import type { DemoRegistry } from "./registry.ts";

type Kind = DemoRegistry["kind"];

/** What the demo itself says; what the commands say is theirs. */
export interface Words {
  readonly title: string;
  readonly stands: string;
  readonly connected: string;
  source(kind: Kind, url: string): string;
  readonly carried: string;
  readonly closed: string;
  target(kind: Kind, url: string, host: string): string;
  readonly noCluster: string;
  readonly cluster: string;
  done(seconds: string): string;
  summary(built: Built, closed: Closed): readonly (readonly [string, string])[];
  files(folder: string): string;
  readonly failed: string;
}

const countOf = ({ lock }: Built, kind: "chart" | "image" | "plugin"): number =>
  lock.items.filter((item) => item.kind === kind).length;

const en: Words = {
  title: "higress-airgap: from a connected host into a closed network, on this machine",
  stands:
    "A small stand-in for Higress is packed, carried, pushed and proven.\n`higress-airgap` below is dist/main.mjs of this checkout.",
  connected: "1. Connected host: pack everything into one file",
  source: (kind, url) =>
    `${url} stands in for the public registry (${kind === "memory" ? "in memory" : kind}):
7 images for two platforms, 4 Wasm plugins. The chart is a local file.`,
  carried: "2. The source registry is stopped; one file is carried",
  closed: "3. Closed network: the file, and nothing else",
  target: (kind, url, host) =>
    `site.yaml names the target, ${host}/higress.
Here that is an empty registry on ${url} (${kind === "memory" ? "in memory" : kind}).`,
  noCluster:
    "No test cluster is set up here (scripts/setup-programs.sh does that), so instead of `install`:\n`render` writes what would be applied, and the proof that nothing in it points outside.",
  cluster: "A throw-away Kubernetes API server with simulated nodes is set up here, so this is the whole install.",
  done: (seconds) => `Done in ${seconds} s`,
  summary: (built, closed) => [
    [
      "packed",
      `${countOf(built, "image")} images, ${countOf(built, "plugin")} plugins and ${countOf(built, "chart")} chart in one file of ${printBytes(built.bytes)}`,
    ],
    ["verified", "every byte of the carried file, with the source gone"],
    ["pushed", "byte for byte: the closed registry gives the digests that were built"],
    closed.installed
      ? ["installed", `${closed.images} images pulled by the cluster, all from the closed registry`]
      : [
          "proven",
          `${closed.images} image references would be applied, none points outside (closed/rendered/proof.json)`,
        ],
    ["served", `${closed.served} straight from the file, same digest`],
  ],
  files: (folder) => `\nThe files are in ${folder}. The real thing: README.md, "Quick start".`,
  failed: "The demo failed",
};

const zh: Words = {
  title: "higress-airgap：在本机演示从联网主机到内网的全过程",
  stands: "用一个小型 Higress 样例完成打包、携带、推送与验证。`higress-airgap` 即本仓库的 dist/main.mjs。",
  connected: "1. 联网主机：全部打成一个文件",
  source: (kind, url) =>
    `${url} 充当公网镜像仓库（${kind === "memory" ? "内存实现" : kind}）：7 个双架构镜像，4 个 Wasm 插件；chart 为本地文件。`,
  carried: "2. 公网仓库已停止，只携带一个文件",
  closed: "3. 内网：只有这一个文件",
  target: (kind, url, host) =>
    `site.yaml 写明目标：${host}/higress，此处为 ${url} 上的空仓库（${kind === "memory" ? "内存实现" : kind}）。`,
  noCluster:
    "本机没有测试集群（可用 scripts/setup-programs.sh 准备），因此以 `render` 代替 `install`：\n写出将要应用的内容，并证明其中没有指向外网的引用。",
  cluster: "本机有一次性的 Kubernetes API server（节点为模拟），因此执行完整安装。",
  done: (seconds) => `完成，用时 ${seconds} 秒`,
  summary: (built, closed) => [
    [
      "打包",
      `${countOf(built, "image")} 个镜像、${countOf(built, "plugin")} 个插件、${countOf(built, "chart")} 个 chart，一个 ${printBytes(built.bytes)} 的文件`,
    ],
    ["校验", "携带文件的每一个字节，此时公网仓库已停止"],
    ["推送", "逐字节一致：内网仓库给出的摘要与打包时相同"],
    closed.installed
      ? ["安装", `集群拉取了 ${closed.images} 个镜像，全部来自内网仓库`]
      : ["证明", `将应用 ${closed.images} 处镜像引用，没有一处指向外网（closed/rendered/proof.json）`],
    ["服务", `${closed.served} 直接由文件提供，摘要相同`],
  ],
  files: (folder) => `\n文件保存在 ${folder}。正式使用请看 README.zh-CN.md 的“快速开始”。`,
  failed: "演示失败",
};

export function wordsOf(language: Language): Words {
  return language === "zh" ? zh : en;
}
