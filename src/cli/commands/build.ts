import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { build, planBuild } from "../../pipeline/build.ts";
import { planBundle, type PackInput } from "../../stages/bundle/plan.ts";
import { parseBytes, printBytes } from "../../std/bytes.ts";
import { catalogueOf, type Language } from "../../ui/language.ts";
import { sizingLines } from "../../ui/sizing.ts";
import { table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { text, texts, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { rehearsedSite, withBuild } from "../wire/build-session.ts";
import { openSite } from "../wire/site-session.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  refuseContradictions(flags);
  const rate = rateOf(text(flags, "rate"));
  const site =
    text(flags, "site") === undefined ? undefined : await rehearsedSite((await openSite(flags, context)).site);
  await withBuild(flags, { kind: kindOf(flags), site }, context, async ({ input, ports, options, written }) => {
    if (truth(flags, "dry-run"))
      context.stdout.write(buildListing(await planBuild(input, ports, options), rate, context.language));
    else await written(await build(input, ports, options));
  });
  return hasErrors(context.reporter.findings) ? ExitCode.findings : ExitCode.done;
}

/** A lock names its platforms, and a bundle can leave out one thing for one reason only. */
function refuseContradictions(flags: Flags): void {
  for (const [one, other] of [
    ["lock", "platform"],
    ["since", "only"],
  ] as const)
    if (texts(flags, one).length > 0 && texts(flags, other).length > 0)
      throw new Failure("USAGE", { what: `--${one} + --${other}` });
}

/** A delta must not take the place of the bundle that it belongs to. */
function kindOf(flags: Flags): string {
  return text(flags, "only") !== undefined ? ".patch" : text(flags, "since") !== undefined ? ".delta" : "";
}

/** Bytes per second. */
function rateOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const rate = parseBytes(value.replace(/\/s$/, ""));
  if (rate === undefined || rate === 0) throw new Failure("USAGE", { what: `--rate ${value}: 10MiB` });
  return rate;
}

/** What a build would write: every item, and how long the file would be, to the byte. */
function buildListing(input: PackInput, rate: number | undefined, language: Language): string {
  const { words } = catalogueOf(language);
  const { lock, blobs } = input;
  const rows = lock.items.map((item) => [
    item.kind,
    item.reference,
    printBytes(item.bytes),
    item.platforms.join(" "),
    item.root.digest.slice(0, 19),
  ]);
  const plan = planBundle(input);
  const carried = blobs.length - (plan.document.delta?.absent.length ?? 0);
  const head = [
    `${words.bundle}: ${lock.name} ${lock.version}`,
    `${words.size}: ${printBytes(plan.size)} (${plan.size} B), ${lock.items.length} ${words.items}, ${carried} ${words.blobs}`,
    ...sizingLines(plan.size, rate, language),
  ];
  return `${head.join("\n")}\n\n${table([words.kind, words.reference, words.size, words.platforms, words.digest], rows)}`;
}
