import { printReference } from "../../model/reference.ts";
import { push, createProjects, newProjects } from "../../pipeline/push.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf } from "../../ui/language.ts";
import { table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTarget } from "../wire/registries.ts";
import { openSiteBundle } from "../wire/site-session.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using opened = await openSiteBundle(flags, context);
  const { site, sitePath, bundle, plan } = opened;
  const concurrency = wholeNumber(flags, "concurrency", 1, 64);
  await using session = await openTarget({ site, sitePath, concurrency }, context);
  const dryRun = truth(flags, "dry-run");
  const projects = { harbor: () => session.harbor(), signal: context.signal };
  const { report } = context.reporter;
  report({ type: "phase", phase: "push", state: "started" });
  const dry = dryRun ? { dryRun, newProjects: await newProjects(site, plan, projects) } : {};
  if (!dryRun) await createProjects(site, plan, projects);
  const result = await push(
    plan,
    bundle,
    { target: session.registry, pushOptions: { ...session.pushOptions, ...dry } },
    { concurrency, signal: context.signal, report },
  );
  report({ type: "phase", phase: "push", state: "done" });
  const { words, sides, punctuation } = catalogueOf(context.language);
  const [sent, mounted] = dryRun
    ? ([words["to-upload"], words["to-mount"]] as const)
    : ([words.uploaded, words.mounted] as const);
  const rows = plan.mapped.flatMap(({ item, targets }) =>
    targets.map((target) => [item.reference, printReference(target)]),
  );
  if (dryRun) context.stdout.write(table([words.reference, sides.target], rows));
  const sums = [
    [sent, result.uploaded],
    [mounted, result.mounted],
    [words.present, result.present],
  ] as const;
  const line = sums.map(([word, bytes]) => `${word} ${printBytes(bytes)}`).join(punctuation.comma);
  context.stdout.write(`${line}\n`);
  return ExitCode.done;
}
