import { printReference } from "../../model/reference.ts";
import type { Site } from "../../model/site.ts";
import type { InstallPlan } from "../../pipeline/install-plan.ts";
import { createProjects, newProjects, push, type PushedContent } from "../../pipeline/push.ts";
import type { PushResult } from "../../stages/push/push.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf } from "../../ui/language.ts";
import { table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import type { TargetSession } from "./registries.ts";

interface Pushed {
  readonly site: Site;
  readonly plan: InstallPlan;
  readonly source: PushedContent;
}

interface PushPlanOptions {
  readonly dryRun: boolean;
  readonly concurrency: number | undefined;
}

/** Makes the projects that the site asks for, and pushes; a dry run asks and counts. */
export async function pushPlan(
  { site, plan, source }: Pushed,
  target: TargetSession,
  { dryRun, concurrency }: PushPlanOptions,
  { signal, reporter: { report } }: Context,
): Promise<PushResult> {
  const projects = { harbor: () => target.harbor(), signal };
  report({ type: "phase", phase: "push", state: "started" });
  const dry = dryRun ? { dryRun, newProjects: await newProjects(site, plan, projects) } : {};
  if (!dryRun) await createProjects(site, plan, projects);
  const ports = { target: target.registry, pushOptions: { ...target.pushOptions, ...dry } };
  const result = await push(plan, source, ports, { concurrency, signal, report });
  report({ type: "phase", phase: "push", state: "done" });
  return result;
}

/** What went where, and how much of it was there; a dry run lists every name. */
export function printPushed(
  { mapped }: InstallPlan,
  result: PushResult,
  { dryRun }: Pick<PushPlanOptions, "dryRun">,
  { language, stdout }: Context,
): void {
  const { words, sides, punctuation } = catalogueOf(language);
  const [sent, mounted] = dryRun
    ? ([words["to-upload"], words["to-mount"]] as const)
    : ([words.uploaded, words.mounted] as const);
  const rows = mapped.flatMap(({ item, targets }) => targets.map((target) => [item.reference, printReference(target)]));
  if (dryRun) stdout.write(table([words.reference, sides.target], rows));
  const sums = [
    [sent, result.uploaded],
    [mounted, result.mounted],
    [words.present, result.present],
  ] as const;
  const line = sums.map(([word, bytes]) => `${word} ${printBytes(bytes)}`).join(punctuation.comma);
  stdout.write(`${line}\n`);
}
