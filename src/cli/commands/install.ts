import { Failure, isFailure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { undoCommands } from "../../pipeline/evidence.ts";
import { proposal, closingNotes } from "../../pipeline/install-notes.ts";
import type { InstallPorts } from "../../pipeline/install-ports.ts";
import { install, type InstallResult } from "../../pipeline/install.ts";
import { stopAt } from "../../model/event.ts";
import { askToGoOn } from "../agreement.ts";
import type { Context } from "../context.ts";
import { text, texts, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { adoptExisting } from "../wire/adoption.ts";
import { verifyWhole } from "../wire/bundles.ts";
import { installPorts } from "../wire/install-ports.ts";
import { againBy, withReport, type EvidenceSink } from "../wire/install-report.ts";
import { openTarget } from "../wire/registries.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { openTools } from "../wire/tools.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const base = text(flags, "report");
  if (base === undefined) return installed(flags, context);
  return withReport(base, flags, context, (told, evidence) => installed(flags, told, evidence));
}

async function installed(flags: Flags, context: Context, evidence?: EvidenceSink): Promise<ExitCode> {
  const skip = skipped(flags);
  await using session = await openSiteBundle(flags, context, { verifiesItself: !skip.has("verify") });
  const { site, sitePath, bundle, signed } = session;
  evidence?.see({ site, bundle, signed });
  const options = { site, sitePath, concurrency: wholeNumber(flags, "concurrency", 1, 64) };
  await using target = await openTarget(options, context);
  await using tools = await openTools(flags, site, context);
  const adoption = await adoptExisting(flags, session, tools, context, {
    asks: true,
    // Without preflight nobody would say why it could not be told whose the release is.
    insists: skip.has("preflight"),
  });
  if (adoption.refused || skip.has("preflight")) stopAt(adoption.findings, context.reporter.report);
  for (const step of adoption.steps) context.reporter.report(step);
  for (const step of await proposal(adoption.plan, skip, tools.helm, context.signal)) context.reporter.report(step);
  // Where nobody can be asked, the command itself is the yes: it is what scripts run.
  if (context.ask !== undefined && !truth(flags, "yes")) await askToGoOn("install", context);
  const ports = await installPorts(options, target, tools, context);
  const began = context.now().getTime();
  const result = await install(
    { bundle, site, plan: adoption.plan },
    {
      ...ports,
      preflight: async (asked, more) => [...adoption.findings, ...(await ports.preflight(asked, more))],
      receipts: evidence?.receipts(ports.receipts) ?? ports.receipts,
      verify: async (opened) => {
        const { findings: found, checked, damaged } = await verifyWhole(opened, { quick: false }, context);
        evidence?.see({ verified: { ...checked, damaged: damaged.length } });
        return found;
      },
    },
    {
      skip,
      adopted: adoption.records,
      forceConflicts: truth(flags, "force-conflicts"),
      concurrency: options.concurrency,
      signal: context.signal,
      report: context.reporter.report,
      evidence: evidence?.see,
    },
  );
  const seconds = (context.now().getTime() - began) / 1000;
  const installed = { ports, seconds, namespace: site.cluster.namespace, kubectl: tools.typedKubectl };
  return await sayWhatIsThere(result, installed, flags, context);
}

interface Installed {
  readonly ports: InstallPorts;
  readonly seconds: number;
  readonly namespace: string;
  readonly kubectl: readonly string[];
}

async function sayWhatIsThere(
  result: InstallResult,
  { ports, seconds, ...installed }: Installed,
  flags: Flags,
  context: Context,
): Promise<ExitCode> {
  const failed = hasErrors(result.findings);
  const again = againBy(flags, context);
  const earlier = await ports.receipts.load().catch((error: unknown) => {
    // Where they may not be read, this one alone says how it is undone.
    if (!isFailure(error)) throw error;
    return [];
  });
  const [undo] = undoCommands(result.receipt, earlier, again);
  const notes = await closingNotes(result, {
    ...installed,
    seconds: failed ? undefined : seconds,
    cluster: ports.cluster,
    look: again("status"),
    undo: undo?.command,
    signal: context.signal,
  });
  for (const note of notes) context.reporter.report(note);
  return failed ? ExitCode.findings : ExitCode.done;
}

/**
 * Proof and apply go by what render has found, and render is what brings a renewed pull account into the cluster:
 * without it they would prove nothing, install nothing, and leave the cluster with a password that is no longer one.
 */
function skipped(flags: Flags): ReadonlySet<string> {
  const skip = new Set(texts(flags, "skip"));
  const more = ["prove", "apply"].filter((phase) => skip.has("render") && !skip.has(phase));
  if (more.length === 0) return skip;
  throw new Failure("USAGE", {
    what: "--skip render",
    wrong: "with",
    wanted: more.map((phase) => `--skip ${phase}`).join(" "),
  });
}
