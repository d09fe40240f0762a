import type { Language } from "../language.ts";

/** The page that `serve` shows to a browser. */
interface ServeWords {
  readonly about: string;
  readonly images: string;
  readonly pull: string;
  readonly nodes: string;
  readonly plugins: string;
  readonly url: string;
}

export const serveWords: Readonly<Record<Language, ServeWords>> = {
  en: { about: "This server gives out what the bundle carries. Nothing can be changed on it.", images: "Images and charts", pull: "pull as", nodes: "So that nodes pull from here under the old names, write their configuration with: higress-airgap node-config", plugins: "Plugins", url: "URL for the gateway" },
  zh: { about: "本服务器提供离线包中的内容，只读，无法修改。", images: "镜像和 Chart", pull: "拉取地址", nodes: "若要让节点以原名称从此处拉取，请用 higress-airgap node-config 生成节点配置", plugins: "插件", url: "供网关使用的 URL" },
};
