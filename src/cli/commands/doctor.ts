import { reportFindings } from "../../model/event.ts";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { readBytes } from "../../edge/files/read-text.ts";
import { writeSupportArchive } from "../../edge/archive/support-archive.ts";
import { Failure, unlessForbidden } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { Site } from "../../model/site.ts";
import { doctor, readLogs, type DoctorReport } from "../../stages/doctor/doctor.ts";
import { catalogueOf } from "../../ui/language.ts";
import { decodeText, EncodingError } from "../../std/decode-text.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { loadSymptoms } from "../wire/install-ports.ts";
import { openTools, type ClusterTools } from "../wire/tools.ts";
import { openSite } from "../wire/site-session.ts";

/** A log that is larger is cut by whoever sends it; reading it whole keeps the patterns simple. */
const maxLog = 256 * 1024 ** 2;

/** Says why, and what to type: from the cluster of the site, or from a log file alone. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const logs = text(flags, "logs");
  // Nothing can be collected from a log that somebody has already.
  if (logs !== undefined && text(flags, "collect") !== undefined)
    throw new Failure("USAGE", { what: "--logs", wrong: "apart", wanted: "--collect" });
  const { symptoms } = await loadSymptoms();
  const options = { symptoms, language: context.language };
  const found =
    logs === undefined
      ? await askCluster(flags, options, context)
      : { findings: readLogs(await readLog(resolve(context.cwd, logs)), options), evidence: [] };
  reportFindings(found.findings, context.reporter.report);
  // A note tells of what is as it should be.
  if (found.findings.some(({ severity }) => severity !== "note")) return ExitCode.findings;
  context.stdout.write(`${catalogueOf(context.language).words["no-findings"]}\n`);
  return ExitCode.done;
}

type Options = Parameters<typeof readLogs>[1];

async function askCluster(
  flags: Flags,
  options: Options,
  context: Context,
): Promise<DoctorReport | { readonly findings: readonly Finding[]; readonly evidence: readonly [] }> {
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  context.reporter.report({ type: "step", phase: "check", name: "kubectl get, kubectl logs", done: 0, items: 1 });
  const found = await doctor(tools.kubectl, { ...options, namespace: site.cluster.namespace, signal: context.signal });
  const standing = await isThere(site, tools, context.signal);
  const { release, namespace } = site.cluster;
  const absent = standing ? [] : [finding("error", "cluster.release-absent", { release, namespace })];
  const collect = text(flags, "collect");
  if (collect !== undefined) {
    const path = resolve(context.cwd, collect);
    await writeSupportArchive(path, found.evidence, context.signal);
    context.reporter.report({ type: "note", text: "saved", facts: { path } });
  }
  return { ...found, findings: [...absent, ...found.findings] };
}

/** Where nothing runs, nothing is wrong with it, which must not read as if it worked. Who may not look is not told so. */
async function isThere({ cluster }: Site, { helm, kubectl }: ClusterTools, signal: AbortSignal): Promise<boolean> {
  const { release, namespace } = cluster;
  const workloads = await unlessForbidden(kubectl.list({ resource: "deployments.apps", namespace, signal }));
  if ("why" in workloads || workloads.answer.length > 0) return true;
  const found = await unlessForbidden(helm.status(release, namespace, { signal }));
  return "why" in found || found.answer !== undefined;
}

/**
 * Logs hold what strangers sent: what is no text in them is replaced. PowerShell's `>` writes them in UTF-16, and nodes
 * pack those that they rotate.
 */
async function readLog(path: string): Promise<string> {
  const bytes = await unpacked(path, await readBytes(path, maxLog));
  try {
    return decodeText(bytes);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    return new TextDecoder(error.encoding.startsWith("UTF-16") ? error.encoding : "utf-8").decode(bytes);
  }
}

async function unpacked(path: string, bytes: Buffer): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxLog });
  } catch (error) {
    throw new Failure("FILE_UNREADABLE", { path, reason: `gzip: ${(error as Error).message}` }, { cause: error });
  }
}
