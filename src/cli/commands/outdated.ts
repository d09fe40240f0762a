import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { loadBundleSpec } from "../../edge/files/config.ts";
import { reportFindings } from "../../model/event.ts";
import { finding } from "../../model/finding.ts";
import type { Lock } from "../../model/lock.ts";
import type { BundleSpec } from "../../model/spec.ts";
import { outdated } from "../../pipeline/outdated.ts";
import { catalogueOf } from "../../ui/language.ts";
import { jsonText } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { required, text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { sourcePorts } from "../wire/build-ports.ts";
import { readLock } from "../wire/build-files.ts";
import { registryPool } from "../wire/registries.ts";
import { findTool } from "../wire/tools.ts";

const concurrency = 8;

/** Is a new bundle due? Asks the sources of the spec, and downloads nothing but charts and the newer console's list. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { reporter, signal } = context;
  const specPath = resolve(context.cwd, required(flags, "spec"));
  const spec = await loadBundleSpec(specPath);
  const lock = await lastLock(spec, flags, context);
  await using pool = registryPool(
    { registries: spec.registries, baseDirectory: dirname(specPath), side: "source", concurrency },
    context,
  );
  const helm = spec.charts.length === 0 ? undefined : await findTool("helm", { named: text(flags, "helm") }, context);
  await using ports = await sourcePorts({ spec, helm, reuse: [] }, pool, context);
  const findings = await outdated(spec, lock, ports, { concurrency, signal, report: reporter.report });
  reportFindings(findings, reporter.report);
  if (truth(flags, "json")) context.stdout.write(jsonText(findings));
  else if (findings.length === 0) context.stdout.write(`${catalogueOf(context.language).words["no-findings"]}\n`);
  const isDue = findings.some(({ code }) => code !== "source.unresolved");
  // Nothing is due as far as could be asked, and not everything could: neither yes nor no.
  return isDue ? ExitCode.findings : findings.length > 0 ? ExitCode.failed : ExitCode.done;
}

/** As `build` names it where it is not told otherwise. */
async function lastLock(spec: BundleSpec, flags: Flags, context: Context): Promise<Lock | undefined> {
  const named = text(flags, "lock");
  if (named !== undefined) return readLock(named, context);
  const usual = `${spec.name}-${spec.version}.tar.lock.json`;
  const isThere = (await stat(resolve(context.cwd, usual)).catch(() => undefined))?.isFile() === true;
  if (isThere) return readLock(usual, context);
  reportFindings([finding("note", "outdated.no-lock", { looked: usual })], context.reporter.report);
  return undefined;
}
