import { readChartValues } from "../../edge/charts/values.ts";
import { typedObjects } from "../../model/rendered-object.ts";
import { renderAll } from "../../pipeline/prove.ts";
import { chartCrds, withFile } from "./install-ports.ts";
import { isFailure } from "../../model/failure.ts";
import { existingChoices, type Existing } from "../../model/existing.ts";
import { adopt, type Adoption } from "../../pipeline/adoption.ts";
import type { ReceiptsPort } from "../../pipeline/install-ports.ts";
import type { ForeignRelease } from "../../stages/survey/survey.ts";
import { undecided } from "../../stages/survey/survey.ts";
import { describeFinding } from "../../ui/failure.ts";
import { catalogueOf } from "../../ui/language.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { answer } from "./new-files.ts";
import { receiptsOf, receiptsOfRelease } from "./receipts.ts";
import type { SiteSession } from "./site-session.ts";
import type { ClusterTools } from "./tools.ts";

export interface AdoptionOptions {
  /** Where somebody sits at a terminal, ask; `preflight` changes nothing and asks nobody. */
  readonly asks: boolean;
}

/** Looks what stands where the site's releases will be, and has it decided what becomes of it. */
export async function adoptExisting(
  flags: Flags,
  session: SiteSession,
  tools: ClusterTools,
  context: Context,
  { asks }: AdoptionOptions,
): Promise<Adoption> {
  const { site, bundle, plan } = session;
  const { signal } = context;
  const named = existingChoices.find((choice) => choice === text(flags, "existing"));
  try {
    const port: ReceiptsPort = receiptsOf(site, tools.kubectl, signal);
    return await adopt(plan, {
      helm: tools.helm,
      cluster: tools.kubectl,
      render: async (chart) => {
        const ports = { helm: tools.helm, withFile, chartCrds };
        const offline = bundle.document.kubeVersion;
        const rendered = await renderAll({ ...plan, charts: [chart] }, bundle, ports, { offline, signal });
        return rendered.flatMap(({ manifest }) => typedObjects(manifest, chart.name));
      },
      receipts: await receiptsOfRelease(site, port, tools.kubectl, signal),
      chartValues: async ({ file }) => readChartValues(await bundle.readFile(file)),
      decide: async (foreign) => named ?? (asks ? await askOwner(foreign, context) : "refuse"),
      planOver: (owner) => session.planOver(owner),
      signal,
    });
  } catch (error) {
    // A cluster that does not answer, or answers with a refusal: preflight says so, with all else that is wrong.
    if (!isFailure(error, "CLUSTER_UNREACHABLE", "CLUSTER_FORBIDDEN")) throw error;
    return { plan, records: [], findings: [], steps: [], refused: false };
  }
}

async function askOwner(foreign: ForeignRelease, context: Context): Promise<Existing> {
  if (context.ask === undefined) return "refuse";
  const { message, remedy } = describeFinding(undecided(foreign), context.language);
  const question = catalogueOf(context.language).words["ask-existing"];
  const typed = await answer(context, `${message}\n${remedy}\n${question}`, "refuse");
  return existingChoices.find((choice) => choice === typed) ?? "refuse";
}
