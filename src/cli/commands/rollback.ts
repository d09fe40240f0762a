import { planRollback } from "../../stages/receipt/undo-plan.ts";
import { rollback } from "../../stages/receipt/undo.ts";
import { receiptBefore } from "../../stages/receipt/receipt.ts";
import { hasErrors } from "../../model/finding.ts";
import type { Context } from "../context.ts";
import type { Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { agreed } from "../agreement.ts";
import { openTools } from "../wire/tools.ts";
import { openSite } from "../wire/site-session.ts";
import { loadForUndo, releasePort } from "../wire/receipts.ts";

/** Goes back to the install before: release, plugins, and none of the objects that only the latest one made. */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  const receipts = await loadForUndo(site, tools, context.signal);
  const before = receiptBefore(receipts.all, receipts.latest);
  const command = "rollback";
  if (!(await agreed(planRollback(receipts.latest, before), { command, flags, context }))) return ExitCode.done;
  const findings = await rollback(receipts.latest, before, {
    cluster: tools.kubectl,
    release: releasePort(tools),
    signal: context.signal,
  });
  for (const found of findings) report({ type: "finding", finding: found });
  await receipts.save({ ...receipts.latest, state: "undone" });
  // Beside the release stands the one that tells what is there now.
  await receipts.save(before);
  const facts = { bundle: `${before.bundle.name} ${before.bundle.version}`, number: before.number };
  report({ type: "note", text: "rolled-back", facts });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
