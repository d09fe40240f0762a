import type { LockItem } from "../../model/lock.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf, type Language } from "../language.ts";
import { serveWords } from "../messages/serve-words.ts";
import { escapeHtml, heading, htmlTable, page, paragraph, type Cell } from "./page.ts";

export interface ServePage {
  readonly name: string;
  readonly version: string;
  /** As the reader reached it: `http://bastion:5000`. */
  readonly origin: string;
  /** What is served as a registry, and under which repository and tag; none when only plugins are. */
  readonly images: readonly { readonly item: LockItem; readonly repository: string }[];
  /** Paths of modules: `plugins/key-auth/1.0.0/plugin.wasm`. */
  readonly modules: readonly string[];
}

/** What a server of a bundle has, and how to get it, for whoever opens its address in a browser. */
export function servePage({ name, version, origin, images, modules }: ServePage, language: Language): string {
  const say = serveWords[language];
  const { words, kinds } = catalogueOf(language);
  const host = new URL(origin).host;
  const title = `${name} ${version}`;
  const rows = images.map(({ item, repository }): readonly Cell[] => [
    { text: kinds[item.kind], class: "kind", mark: item.kind },
    { text: item.reference, class: "name" },
    { text: `${host}/${repository}`, class: "name" },
    { text: printBytes(item.bytes), class: "number", value: item.bytes },
  ]);
  const served = `${heading(say.images)}${htmlTable([words.kind, words.reference, say.pull, words.size], rows)}`;
  const urls = modules.map((path): readonly Cell[] => [{ text: `${origin}/${path}`, class: "name" }]);
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    paragraph(say.about),
    ...(rows.length === 0 ? [] : [served, paragraph(say.nodes)]),
    ...(urls.length === 0 ? [] : [`${heading(say.plugins)}${htmlTable([say.url], urls)}`]),
  ];
  return page({ title, body: body.join("\n") }, language);
}
