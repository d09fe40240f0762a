import { reportFindings } from "../../model/event.ts";
import { dirname, basename, resolve } from "node:path";
import { blobPrefix, programPrefix } from "../../model/bundle.ts";
import { hasErrors } from "../../model/finding.ts";
import { documentFindings, openToJudge } from "../wire/bundles.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import { sbomOf } from "../../stages/inspect/sbom.ts";
import { spaceOf, itemContents, squarify, type Share } from "../../stages/inspect/space.ts";
import { printBytes } from "../../std/bytes.ts";
import { canonicalJson, type Json } from "../../std/canonical-json.ts";
import { inspectPage, type MapTile } from "../../ui/html/inspect-page.ts";
import { catalogueOf } from "../../ui/language.ts";
import { itemTable } from "../../ui/sizing.ts";
import { jsonText, visible } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { required, text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { writeNewFiles } from "../wire/new-files.ts";

/** A list on the terminal; with --html and --sbom the same as files, and no list. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using bundle = await openToJudge(required(flags, "bundle"), [], context);
  const { document, id } = bundle;
  const html = text(flags, "html");
  const sbom = text(flags, "sbom");
  if (html !== undefined) await save(html, await pageOf(bundle, context), context);
  if (sbom !== undefined) await save(sbom, canonicalJson(sbomOf(document, id) as unknown as Json), context);
  if (truth(flags, "json")) context.stdout.write(jsonText(document));
  else if (html === undefined && sbom === undefined) context.stdout.write(listing(bundle, context));
  const findings = await documentFindings(bundle);
  reportFindings(findings, context.reporter.report);
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}

async function save(name: string, content: string, context: Context): Promise<void> {
  const path = resolve(context.cwd, name);
  // A report is made anew each time; nobody edits one.
  await writeNewFiles(dirname(path), [{ name: basename(path), text: content }], { overwrite: true, context });
}

const map = { x: 0, y: 0, width: 1200, height: 520 } as const;

async function pageOf(bundle: Bundle, context: Context): Promise<string> {
  const { document, id, source } = bundle;
  const carried = new Set<string>(
    document.blobs.map(({ digest }) => digest).filter((digest) => bundle.hasBlob(digest)),
  );
  const files = [...bundle.entries]
    .filter(([name]) => !name.startsWith(blobPrefix))
    .map(([name, { size }]) => ({ name, size }));
  const contents = await itemContents(bundle, context.signal);
  const shares = spaceOf({ contents, carried, files, total: source.size });
  const { words } = catalogueOf(context.language);
  // Kinds first, then what is in them, so that a colour is one area.
  const kinds = [...new Set(shares.map(({ kind }) => kind))].map((kind) => shares.filter((it) => it.kind === kind));
  const tiles = squarify(kinds, bytesOf, map).flatMap((group) =>
    squarify(group.entry, ({ bytes }) => bytes, group).map(({ entry, x, y, width, height }): MapTile => {
      const name = entry.name === "" ? words.other : entry.name;
      const label = entry.kind === "shared" ? words.shared : (name.split("/").at(-1) ?? name);
      return { x, y, width, height, kind: entry.kind, name, label, bytes: entry.bytes };
    }),
  );
  return inspectPage({ document, id, size: source.size, map: { tiles, ...map } }, context.language);
}

function bytesOf(shares: readonly Share[]): number {
  return shares.reduce((sum, { bytes }) => sum + bytes, 0);
}

function listing({ document, entries, source: { size } }: Bundle, context: Context): string {
  const { words, punctuation } = catalogueOf(context.language);
  const { colon, comma } = punctuation;
  const { delta } = document;
  const carried = [...entries.keys()].filter((name) => name.startsWith(programPrefix)).map((name) => basename(name));
  const head = [
    [words.bundle, `${document.name} ${document.version}`],
    [words.created, `${document.created} (${document.tool.name} ${document.tool.version})`],
    [words.platforms, document.platforms.join(" ")],
    [
      words.size,
      [printBytes(size), `${document.items.length} ${words.items}`, `${document.blobs.length} ${words.blobs}`].join(
        comma,
      ),
    ],
    // Whoever packs for a host without helm looks whether it is in, and for which processor.
    [words.programs, carried.length === 0 ? "-" : carried.join(" ")],
    ...(delta === undefined ? [] : [[words["delta-on"], `${delta.base}${comma}${delta.absent.length} ${words.blobs}`]]),
  ];
  const lines = head.map(([name = "", value = ""]) => `${name}${colon}${visible(value)}`);
  return `${lines.join("\n")}\n\n${itemTable(document.items, context)}`;
}
