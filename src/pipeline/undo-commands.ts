import type { UndoEvidence } from "../model/evidence.ts";
import type { Receipt } from "../model/receipt.ts";
import { installBefore } from "../stages/receipt/receipt.ts";
import { shellWord } from "../std/shell-word.ts";

/** The commands that take back what this receipt tells of, ready to paste; none when nothing was changed. */
export function undoCommands(
  receipt: Receipt,
  earlier: readonly Receipt[],
  reach: readonly string[],
): readonly UndoEvidence[] {
  if (!changedAnything(receipt)) return [];
  const command = (...words: readonly string[]): string =>
    ["higress-airgap", ...words, ...reach].map(shellWord).join(" ");
  const before = installBefore(earlier, receipt);
  const [adopted] = receipt.adopted ?? [];
  const made = ({ resource, did }: Receipt["objects"][number]): boolean =>
    resource === "namespaces" && did === "created";
  const all = [
    ...(receipt.crds.some(({ did }) => did === "created") ? ["--crds"] : []),
    ...(receipt.objects.some(made) ? ["--namespace-too"] : []),
  ];
  const uninstalls: readonly UndoEvidence[] = [
    { does: "uninstall", command: command("uninstall") },
    ...(all.length === 0 ? [] : [{ does: "uninstall-all" as const, command: command("uninstall", ...all) }]),
  ];
  const back = (to: string): UndoEvidence => ({ does: "rollback", command: command("rollback"), to });
  // What was there before us is not ours to uninstall.
  if (adopted !== undefined && before === undefined)
    return [back(`${adopted.chart} ${adopted.version} (helm ${adopted.revision})`)];
  return [
    ...(before === undefined ? [] : [back(`${before.bundle.name} ${before.bundle.version} (#${before.number})`)]),
    ...(adopted === undefined ? uninstalls : []),
  ];
}

function changedAnything({ objects, crds, leftovers, plugins, helm, phases }: Receipt): boolean {
  const records = objects.length + crds.length + leftovers.length + plugins.length;
  // Helm may have begun before its revision could be written down.
  return (
    records > 0 || helm !== undefined || phases.some(({ phase, state }) => phase === "apply" && state !== "skipped")
  );
}
