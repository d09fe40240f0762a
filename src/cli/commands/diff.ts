import { basename, dirname, resolve } from "node:path";
import type { BundleDocument } from "../../model/bundle.ts";
import { diffBundles, type BundleDiff, type Change } from "../../stages/inspect/diff.ts";
import { printBytes } from "../../std/bytes.ts";
import { diffPage, type DiffRow } from "../../ui/html/diff-page.ts";
import { catalogueOf, type Language } from "../../ui/language.ts";
import { jsonText, visible } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { required, text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openBundles } from "../wire/bundles.ts";
import { writeNewFiles } from "../wire/new-files.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using before = await openBundles(required(flags, "old"), [], context);
  await using after = await openBundles(required(flags, "new"), [], context);
  const diff = diffBundles(before.document, after.document);
  const rows = rowsOf(diff, context.language);
  const summary = summaryOf(diff, context.language);
  const [from, to] = [before.document, after.document].map(titleOf);
  const html = text(flags, "html");
  if (html !== undefined) {
    const path = resolve(context.cwd, html);
    const page = diffPage({ before: from ?? "", after: to ?? "", summary, rows }, context.language);
    await writeNewFiles(dirname(path), [{ name: basename(path), text: page }], { overwrite: true, context });
  }
  if (truth(flags, "json")) context.stdout.write(jsonText(diff));
  else if (html === undefined) {
    const lines = [`${from ?? ""} → ${to ?? ""}`, ...rows.map(lineOf), ...summary];
    context.stdout.write(`${lines.map(visible).join("\n")}\n`);
  }
  return ExitCode.done;
}

function titleOf(document: BundleDocument): string {
  return `${document.name} ${document.version}`;
}

const signs = { added: "+", removed: "-", changed: "~" } as const;

function lineOf({ what, kind, name, details }: DiffRow): string {
  return `${signs[what]} ${kind} ${name}${details.map((detail) => `\n    ${detail}`).join("")}`;
}

function rowsOf(diff: BundleDiff, language: Language): readonly DiffRow[] {
  const { words, kinds, punctuation } = catalogueOf(language);
  return [
    ...diff.added.map((item) => ({
      what: "added" as const,
      kind: kinds[item.kind],
      name: item.reference,
      details: [`${words.size}${punctuation.colon}${printBytes(item.bytes)}`],
    })),
    ...diff.removed.map((item) => ({
      what: "removed" as const,
      kind: kinds[item.kind],
      name: item.reference,
      details: [`${words.size}${punctuation.colon}${printBytes(item.bytes)}`],
    })),
    ...diff.changed.map((change) => ({
      what: "changed" as const,
      kind: kinds[change.kind],
      name: change.name,
      details: detailsOf(change, language),
    })),
  ];
}

function detailsOf({ before, after, platformsAdded, platformsRemoved }: Change, language: Language): readonly string[] {
  const { words, punctuation } = catalogueOf(language);
  const from = (item: typeof before): string => item.reference.split("/").at(-1) ?? item.reference;
  return [
    ...(before.reference === after.reference
      ? []
      : [`${words.reference}${punctuation.colon}${from(before)} → ${from(after)}`]),
    ...(before.root.digest === after.root.digest
      ? []
      : [`${words.digest}${punctuation.colon}${before.root.digest.slice(0, 19)} → ${after.root.digest.slice(0, 19)}`]),
    ...(before.bytes === after.bytes
      ? []
      : [`${words.size}${punctuation.colon}${printBytes(before.bytes)} → ${printBytes(after.bytes)}`]),
    ...platformLines(platformsAdded, platformsRemoved, language),
  ];
}

function platformLines(added: readonly string[], removed: readonly string[], language: Language): readonly string[] {
  const { words, punctuation } = catalogueOf(language);
  const change = [...added.map((platform) => `+${platform}`), ...removed.map((platform) => `-${platform}`)];
  return change.length === 0 ? [] : [`${words.platforms}${punctuation.colon}${change.join(" ")}`];
}

function summaryOf(diff: BundleDiff, language: Language): readonly string[] {
  const { words, punctuation } = catalogueOf(language);
  const counts = [
    `${words.added} ${diff.added.length}`,
    `${words.removed} ${diff.removed.length}`,
    `${words.changed} ${diff.changed.length}`,
    `${words.unchanged} ${diff.unchanged}`,
  ].join(punctuation.comma);
  return [
    ...platformLines(diff.platformsAdded, diff.platformsRemoved, language),
    ...(diff.added.length + diff.removed.length + diff.changed.length === 0 ? [words.identical] : [counts]),
    `${words["new-bytes"]}${punctuation.colon}${printBytes(diff.newBytes)}`,
  ];
}
