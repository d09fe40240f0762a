import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { build, planBuild } from "../../pipeline/build.ts";
import { planBundle, plannedContent } from "../../stages/bundle/plan.ts";
import type { PackInput } from "../../stages/bundle/ports.ts";
import { platformSpace } from "../../stages/inspect/space.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf } from "../../ui/language.ts";
import { itemTable, sizingDocument, sizingLines } from "../../ui/sizing.ts";
import { jsonText, visible } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { text, texts, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { missingInside, rateOf, rehearsedSite, volumeSizeOf, withBuild } from "../wire/build-session.ts";
import { openSite } from "../wire/site-session.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  refuseContradictions(flags);
  const trip = {
    rate: rateOf(text(flags, "rate")),
    volumeSize: volumeSizeOf(text(flags, "volume-size")),
    json: truth(flags, "json"),
  };
  const site =
    text(flags, "site") === undefined ? undefined : await rehearsedSite(await openSite(flags, context), flags, context);
  await withBuild(flags, { kind: kindOf(flags), site }, context, async ({ input, ports, options, written }) => {
    if (truth(flags, "dry-run"))
      context.stdout.write(await listing(await planBuild(input, ports, options), trip, context));
    else await written(await build(input, ports, options));
  });
  return hasErrors(context.reporter.findings) ? ExitCode.findings : ExitCode.done;
}

/** A lock names its platforms, and a bundle can leave out one thing for one reason only. */
function refuseContradictions(flags: Flags): void {
  if (truth(flags, "json") && !truth(flags, "dry-run"))
    throw new Failure("USAGE", { what: "--json", wrong: "with", wanted: "--dry-run" });
  for (const [one, other] of [
    ["lock", "platform"],
    ["since", "only"],
  ] as const)
    if (texts(flags, one).length > 0 && texts(flags, other).length > 0)
      throw new Failure("USAGE", { what: `--${one}`, wrong: "apart", wanted: `--${other}` });
}

/** A delta must not take the place of the bundle that it belongs to. */
function kindOf(flags: Flags): string {
  return text(flags, "only") !== undefined ? ".patch" : text(flags, "since") !== undefined ? ".delta" : "";
}

interface Trip {
  readonly volumeSize: number | undefined;
  readonly rate: number | undefined;
  readonly json: boolean;
}

/** What a build would write, to the byte (of programs that are not fetched yet: as their servers say), and what that asks of the medium, of the evening, and of the hosts inside. */
async function listing(planned: PackInput, { json, ...trip }: Trip, context: Context): Promise<string> {
  const { lock, blobs, largeFiles } = planned;
  const { document, size } = planBundle(planned);
  const absent = new Set(document.delta?.absent);
  const content = plannedContent(planned);
  const platforms = await platformSpace(
    {
      document,
      size,
      programs: largeFiles,
      fetch: (descriptor, options) => content.fetch(descriptor, options),
      hasBlob: (digest) => content.hasBlob(digest) && !absent.has(digest),
    },
    context.signal,
  );
  const missing = missingInside(context);
  const sizing = { size, platforms, missing, ...trip };
  if (json) return jsonText({ name: lock.name, version: lock.version, ...sizingDocument(sizing), items: lock.items });
  const { words, punctuation } = catalogueOf(context.language);
  const { colon, comma } = punctuation;
  const counts = [`${lock.items.length} ${words.items}`, `${blobs.length - absent.size} ${words.blobs}`];
  const head = [
    `${words.bundle}${colon}${lock.name} ${lock.version}`,
    `${words.size}${colon}${[`${printBytes(size)} (${size} B)`, ...counts].join(comma)}`,
    ...sizingLines(sizing, context.language),
  ];
  return `${head.map(visible).join("\n")}\n\n${itemTable(lock.items, context)}`;
}
