import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { replaceFile } from "../../edge/files/replace.ts";
import type { InstallEvidence, Outcome } from "../../model/evidence.ts";
import type { Report } from "../../model/event.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { Evidence, type Again } from "../../pipeline/evidence.ts";
import type { InstallPorts } from "../../pipeline/install-ports.ts";
import { canonicalJson, type Json } from "../../std/canonical-json.ts";
import { shellWord } from "../../std/shell-word.ts";
import { describeEvidence } from "../../ui/evidence.ts";
import { installPage } from "../../ui/html/install-page.ts";
import type { Language } from "../../ui/language.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { typedAs } from "../started-as.ts";
import { tool } from "../version.ts";
import { sitePathOf } from "./site-session.ts";

export interface EvidenceSink {
  readonly see: Evidence["see"];
  /** The receipts as they are kept; each word in them is in the report at once. */
  receipts(kept: InstallPorts["receipts"]): InstallPorts["receipts"];
}

/**
 * Runs an install and writes BASE.json and BASE.html about it: first before anything is asked, so that a place that
 * cannot be written is known in time, then after each step, so that a power cut leaves them too, and when it ended.
 */
export async function withReport(
  base: string,
  flags: Flags,
  context: Context,
  run: (context: Context, evidence: EvidenceSink) => Promise<ExitCode>,
): Promise<ExitCode> {
  const path = resolve(context.cwd, base.replace(/\.(json|html)$/, ""));
  const stream = await stat(resolve(context.cwd, base)).then(
    (found) => !found.isFile() && !found.isDirectory(),
    () => false,
  );
  if (stream)
    throw new Failure("USAGE", { what: `--report ${base}`, wrong: "form", wanted: "--report evidence/install" });
  const recorded = new Evidence({ tool, now: context.now, again: againBy(flags, context) });
  let written: Promise<void> = Promise.resolve();
  // One behind the other: the page of an earlier step must not come last.
  const write = (outcome: Outcome, error?: unknown): Promise<void> => {
    const next = (): Promise<void> => writeReport(path, recorded.document(outcome, error), context.language);
    written = written.then(next, next);
    return written;
  };
  const report: Report = (event) => {
    recorded.watch(event);
    context.reporter.report(event);
    if (event.type === "phase") write("running").catch(() => undefined);
  };
  const evidence: EvidenceSink = {
    see: (part) => recorded.see(part),
    receipts: (kept) => ({
      load: async () => {
        const earlier = await kept.load();
        recorded.see({ earlier });
        return earlier;
      },
      save: async (receipt) => {
        recorded.see({ receipt });
        // The receipt is what undo needs; a report that cannot be written now is told of at the end.
        await Promise.all([kept.save(receipt), write("running").catch(() => undefined)]);
      },
    }),
  };
  await write("running");
  try {
    const code = await run({ ...context, reporter: { ...context.reporter, report } }, evidence);
    await write(code === ExitCode.done ? "done" : "findings");
    tell(path, context);
    return code;
  } catch (error) {
    const interrupted = context.signal.aborted;
    const cause = interrupted && !isFailure(error) ? new Failure("INTERRUPTED", { left: "" }) : error;
    // Why it failed is what must be seen, also when the disk is full.
    await write(interrupted ? "interrupted" : "failed", cause).then(
      () => tell(path, context),
      () => undefined,
    );
    throw error;
  }
}

async function writeReport(path: string, evidence: InstallEvidence, language: Language): Promise<void> {
  const document = { ...evidence, ...describeEvidence(evidence, language) };
  await replaceFile(`${path}.json`, canonicalJson(document as unknown as Json));
  await replaceFile(`${path}.html`, installPage(evidence, language));
}

function tell(path: string, { reporter }: Context): void {
  for (const end of ["json", "html"])
    reporter.report({ type: "note", text: "saved", facts: { path: `${path}.${end}` } });
}

/** As it can be typed from whatever folder: with the site, and with what else was given to reach the cluster. */
export function againBy(flags: Flags, { cwd, env }: Context): Again {
  const given = (["kubeconfig", "helm", "kubectl"] as const).flatMap((name) => {
    const value = text(flags, name);
    return value === undefined ? [] : [`--${name}`, resolve(cwd, value)];
  });
  const named = text(flags, "context");
  const reach = ["--site", sitePathOf(flags, cwd), ...given, ...(named === undefined ? [] : ["--context", named])];
  return (...words) => [...typedAs(env), ...words, ...reach].map(shellWord).join(" ");
}
