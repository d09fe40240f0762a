import { readChartValues } from "../../edge/charts/values.ts";
import { typedObjects } from "../../model/rendered-object.ts";
import { renderAll } from "../../pipeline/prove.ts";
import { chartCrds, chartValues, withFile } from "./install-ports.ts";
import { isFailure } from "../../model/failure.ts";
import { existingChoices, type Existing } from "../../model/choices.ts";
import { adopt, type Adoption } from "../../pipeline/adoption.ts";
import type { Finding } from "../../model/finding.ts";
import { describeFinding } from "../../ui/failure.ts";
import { catalogueOf } from "../../ui/language.ts";
import type { Context } from "../context.ts";
import { text, truth, type Flags } from "../define.ts";
import { receiptDirectory } from "../../edge/files/receipts.ts";
import type { Site } from "../../model/site.ts";
import type { InstallPlan } from "../../pipeline/install-plan.ts";
import { stopAt } from "../../model/event.ts";
import { answer } from "./new-files.ts";
import { siteReceipts, stateDirectory } from "./receipts.ts";
import type { SiteSession } from "./site-session.ts";
import { openTools, type ClusterTools } from "./tools.ts";

export interface AdoptionOptions {
  /** Where somebody sits at a terminal, ask; `preflight` changes nothing and asks nobody. */
  readonly asks: boolean;
  /** A cluster that cannot be asked is a failure, where nobody asks the rest of preflight's questions. @default false */
  readonly insists?: boolean | undefined;
}

/** Looks what stands where the site's releases will be, and has it decided what becomes of it. */
export async function adoptExisting(
  flags: Flags,
  session: SiteSession,
  tools: ClusterTools,
  context: Context,
  { asks, insists = false }: AdoptionOptions,
): Promise<Adoption> {
  const { site, bundle, plan } = session;
  const { signal } = context;
  const named = existingChoices.find((choice) => choice === text(flags, "existing"));
  try {
    return await adopt(plan, {
      helm: tools.helm,
      cluster: tools.kubectl,
      render: async (chart) => {
        const ports = { helm: tools.helm, withFile, chartCrds, chartValues };
        const offline = bundle.document.kubeVersion;
        const rendered = await renderAll({ ...plan, charts: [chart] }, bundle, ports, { offline, signal });
        return rendered.flatMap(({ manifest }) => typedObjects(manifest, chart.name));
      },
      receipts: await siteReceipts(site, tools.kubectl, signal).ofRelease(),
      chartValues: async ({ file }) => readChartValues(await bundle.readFile(file)),
      named,
      decide: async (about) => named ?? (asks ? await askOwner(about, context) : "refuse"),
      planOver: (owner) => session.planOver(owner),
      signal,
    });
  } catch (error) {
    // A cluster that does not answer, or answers with a refusal: preflight says so, with all else that is wrong.
    if (insists || !isFailure(error, "CLUSTER_UNREACHABLE", "CLUSTER_FORBIDDEN")) throw error;
    return { plan, records: [], findings: [], steps: [], refused: false };
  }
}

/**
 * The plan over what an owner had set, where an install would keep that: what is proved and handed over must be what would
 * be installed. Only then is the cluster asked, which has those values.
 * @throws Failure FINDINGS, CLUSTER_UNREACHABLE
 */
export async function planOfInstall(flags: Flags, session: SiteSession, context: Context): Promise<InstallPlan> {
  const named = text(flags, "existing");
  if (named === undefined && !truth(flags, "diff") && !(await keepsOwnersValues(session.site))) return session.plan;
  await using tools = await openTools(flags, session.site, context);
  const adoption = await adoptExisting(flags, session, tools, context, { asks: false, insists: true });
  if (named !== undefined && adoption.refused) stopAt(adoption.findings, context.reporter.report);
  for (const step of adoption.steps) context.reporter.report(step);
  return adoption.plan;
}

/** As the receipts on this host tell: they name no cluster that needs to be asked for it. */
async function keepsOwnersValues(site: Site): Promise<boolean> {
  const { namespace, release } = site.cluster;
  const receipts = (await receiptDirectory(stateDirectory(site)).list()).filter(
    ({ state, cluster }) => state !== "undone" && cluster.namespace === namespace && cluster.release === release,
  );
  return receipts.some(({ adopted = [] }) => adopted.some(({ values }) => values === "keep-values"));
}

async function askOwner(about: Finding, context: Context): Promise<Existing> {
  if (context.ask === undefined) return "refuse";
  const { message, remedy } = describeFinding(about, context.language);
  const question = catalogueOf(context.language).words["ask-existing"];
  const typed = await answer(context, `${message}\n${remedy}\n${question}`, "refuse");
  return existingChoices.find((choice) => choice === typed) ?? "refuse";
}
