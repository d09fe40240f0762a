import type { UndoEvidence } from "../model/evidence.ts";
import { isFailure } from "../model/failure.ts";
import type { Receipt } from "../model/receipt.ts";
import { receiptBefore } from "../stages/receipt/receipt.ts";
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
  const before = earlierInstall(earlier, receipt);
  const made = ({ resource, did }: Receipt["objects"][number]): boolean =>
    resource === "namespaces" && did === "created";
  const all = [
    ...(receipt.crds.some(({ did }) => did === "created") ? ["--crds"] : []),
    ...(receipt.objects.some(made) ? ["--namespace-too"] : []),
  ];
  return [
    ...(before === undefined
      ? []
      : [
          {
            does: "rollback" as const,
            command: command("rollback"),
            to: `${before.bundle.name} ${before.bundle.version} (#${before.number})`,
          },
        ]),
    { does: "uninstall", command: command("uninstall") },
    ...(all.length === 0 ? [] : [{ does: "uninstall-all" as const, command: command("uninstall", ...all) }]),
  ];
}

function changedAnything({ objects, crds, leftovers, plugins, helm, phases }: Receipt): boolean {
  const records = objects.length + crds.length + leftovers.length + plugins.length;
  // Helm may have begun before its revision could be written down.
  return (
    records > 0 || helm !== undefined || phases.some(({ phase, state }) => phase === "apply" && state !== "skipped")
  );
}

function earlierInstall(earlier: readonly Receipt[], receipt: Receipt): Receipt | undefined {
  try {
    return receiptBefore(earlier, receipt);
  } catch (error) {
    if (isFailure(error, "RECEIPT_MISSING")) return undefined;
    throw error;
  }
}
