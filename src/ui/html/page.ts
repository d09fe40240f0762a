import { createHash } from "node:crypto";
import type { Language } from "../language.ts";
import { escapeHtml } from "./escape.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";

export interface Page {
  readonly title: string;
  /** HTML; everything of others in it is escaped already. */
  readonly body: string;
}

/**
 * One file that needs nothing else: no URL is in it. The policy allows exactly our own style and script, by their
 * hashes, so that a name that got through the escaping still could not run or fetch anything.
 */
export function page({ title, body }: Page, language: Language): string {
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="${language === "zh" ? "zh-CN" : "en"}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
