import { printReference } from "../../model/reference.ts";
import type { InstallPlan } from "../../pipeline/install-plan.ts";
import { push } from "../../pipeline/push.ts";
import type { PushResult } from "../../stages/push/push.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf } from "../../ui/language.ts";
import { shortened, table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTarget } from "../wire/registries.ts";
import { openSiteBundle } from "../wire/site-session.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { signal } = context;
  const { report } = context.reporter;
  await using opened = await openSiteBundle(flags, context);
  const { site, sitePath, bundle, plan } = opened;
  const dryRun = truth(flags, "dry-run");
  const concurrency = wholeNumber(flags, "concurrency", 1, 64);
  await using ports = await openTarget({ site, sitePath, concurrency }, context);
  report({ type: "phase", phase: "push", state: "started" });
  const result = await push({ site, plan, content: bundle }, ports, { dryRun, concurrency, signal, report });
  report({ type: "phase", phase: "push", state: "done" });
  printPushed(plan, result, { dryRun }, context);
  return ExitCode.done;
}

/** What went where, and how much of it was there; a dry run lists every name. */
export function printPushed(
  { mapped }: InstallPlan,
  result: PushResult,
  { dryRun }: { readonly dryRun: boolean },
  { language, stdout, columns }: Context,
): void {
  const { words, sides, punctuation } = catalogueOf(language);
  const [sent, mounted] = dryRun
    ? ([words["to-upload"], words["to-mount"]] as const)
    : ([words.uploaded, words.mounted] as const);
  const rows = mapped.flatMap(({ item, targets }) => targets.map((target) => [item.reference, printReference(target)]));
  if (dryRun) stdout.write(table([words.reference, sides.target].map(shortened), rows, columns));
  const sums = [
    [sent, result.uploaded],
    [mounted, result.mounted],
    [words.present, result.present],
  ] as const;
  const line = sums.map(([word, bytes]) => `${word} ${printBytes(bytes)}`).join(punctuation.comma);
  stdout.write(`${line}\n`);
}
