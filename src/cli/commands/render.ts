import { resolve } from "node:path";
import { openHelm } from "../../edge/process/helm.ts";
import { hasErrors } from "../../model/finding.ts";
import { compare } from "../../pipeline/compare.ts";
import { exportManifests, type ManifestExport } from "../../pipeline/export.ts";
import type { HelmPort } from "../../pipeline/install-ports.ts";
import { proveAll, renderAll } from "../../pipeline/prove.ts";
import type { Context } from "../context.ts";
import { text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { exportFiles, exportStream, printCompared } from "../wire/export.ts";
import {
  chartCrds,
  findSiteTool,
  openTools,
  readCa,
  readUserPlugins,
  withFile,
  type ClusterTools,
} from "../wire/install-ports.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { openSiteBundle, type SiteSession } from "../wire/site-session.ts";

/**
 * Everything that an install would apply, for people who hand manifests to another team: as files, as a stream, or as
 * the difference to a cluster. Only the last one needs a cluster.
 */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using session = await openSiteBundle(flags, context);
  const { site } = session;
  await using helm = await openHelm(await findSiteTool("helm", flags, site, context), { env: context.env });
  const rendered = await renderedBy(helm, session, context, session.bundle.document.kubeVersion);
  const proof = proveAll(rendered, session.plan, site);
  for (const found of proof.findings) context.reporter.report({ type: "finding", finding: found });
  const { images, strings, findings } = proof;
  const facts = { images, strings, outside: findings.length, prefix: session.plan.prefix };
  context.reporter.report({ type: "note", text: "proved", facts });
  const own = { ca: await readCa(site), userPlugins: await readUserPlugins(site) };
  const exported = await exportManifests(session, { rendered, proof }, own);
  const out = text(flags, "out");
  if (out !== undefined)
    await writeNewFiles(resolve(context.cwd, out), exportFiles(exported, proof, session, context.language), {
      overwrite: true,
      context,
    });
  if (truth(flags, "diff")) context.stdout.write(await difference(flags, exported, session, context));
  else if (out === undefined) context.stdout.write(exportStream(exported));
  return hasErrors(proof.findings) ? ExitCode.findings : ExitCode.done;
}

function renderedBy(helm: HelmPort, { plan, bundle }: SiteSession, { signal }: Context, offline?: string) {
  const ports = { helm, withFile, chartCrds };
  return renderAll(plan, bundle, ports, { signal, ...(offline === undefined ? {} : { offline }) });
}

/** Of a release that is there, the very dry run of its upgrade is compared: it sees what `lookup` finds in the cluster. */
async function difference(
  flags: Flags,
  exported: ManifestExport,
  session: SiteSession,
  context: Context,
): Promise<string> {
  await using tools = await openTools(flags, session.site, context);
  const installed = await installedReleases(session, tools, context);
  const all = session.plan.charts.every(({ release }) => installed.has(release));
  const releases = all ? await renderedBy(tools.helm, session, context) : exported.releases;
  const { signal } = context;
  const compared = await compare(
    { ...exported, releases },
    { cluster: tools.kubectl, helm: tools.helm, installed, signal },
  );
  return printCompared(compared, context.language);
}

async function installedReleases(
  { plan }: SiteSession,
  { helm }: ClusterTools,
  { signal }: Context,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { release, namespace } of plan.charts)
    if ((await helm.status(release, namespace, { signal })) !== undefined) found.add(release);
  return found;
}
