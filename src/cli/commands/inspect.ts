import { printBytes } from "../../std/bytes.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import type { BundleDocument } from "../../model/bundle.ts";
import { catalogueOf, type Language } from "../../ui/language.ts";
import { table } from "../../ui/table.ts";
import type { Context } from "../context.ts";
import { required, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openBundles } from "../wire/bundle.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using bundle = await openBundles(required(flags, "bundle"), [], context);
  const text = truth(flags, "json")
    ? canonicalJson(bundle.document)
    : listing(bundle.document, bundle.source.size, context.language);
  context.stdout.write(text);
  return ExitCode.done;
}

function listing(document: BundleDocument, size: number, language: Language): string {
  const words = catalogueOf(language).words;
  const head = [
    [words.bundle, `${document.name} ${document.version}`],
    [words.created, `${document.created} (${document.tool.name} ${document.tool.version})`],
    [words.platforms, document.platforms.join(" ")],
    [
      words.size,
      `${printBytes(size)}, ${document.items.length} ${words.items}, ${document.blobs.length} ${words.blobs}`,
    ],
  ].map(([name, value]) => `${name ?? ""}: ${value ?? ""}`);
  const rows = document.items.map((item) => [
    item.kind,
    item.reference,
    printBytes(item.bytes),
    item.platforms.join(" "),
    item.root.digest.slice(0, 19),
  ]);
  return `${head.join("\n")}\n\n${table([words.kind, words.reference, words.size, words.platforms, words.digest], rows)}`;
}
