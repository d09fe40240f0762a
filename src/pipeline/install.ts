import type { Site } from "../model/site.ts";
import { systemClock } from "../std/clock.ts";
import { prepareCluster, type ApplyInput } from "../stages/apply/apply.ts";
import type { Bundle } from "../stages/bundle/open.ts";
import { pushItems, type PushResult } from "../stages/push/push.ts";
import type { InstallOptions, InstallPorts } from "./install-ports.ts";
import { phase, stopAt } from "./phases.ts";
import { helmSource, proveAll, renderAll, type ProofResult, type Rendered } from "./prove.ts";
import { overlayWhile } from "./release.ts";
import { relocate, type Relocated } from "./relocated.ts";

export interface InstallResult {
  readonly relocated: Relocated;
  readonly pushed: PushResult | undefined;
  readonly proof: ProofResult;
}

/** verify > preflight > push > render > prove > apply > plugins > check: the far side, from one file to a proven release. */
export async function install(
  bundle: Bundle,
  site: Site,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<InstallResult> {
  const { report, signal } = options;
  const relocated = await relocate(bundle, site, ports);
  await phase("verify", options, async () => stopAt(await ports.verify(bundle), report));
  await phase("preflight", options, async () => stopAt(await ports.preflight({ bundle, site }), report));
  const pushed = await phase("push", options, () => push(relocated, bundle, ports, options));
  // CRDs first: a dry run of a chart that holds their objects needs them.
  const crds = await chartCrds(relocated, bundle, ports);
  const input = applyInput(relocated, site, crds, ports, options);
  await phase("apply", options, () => prepareCluster(input, ports.cluster));
  const rendered = (await phase("render", options, () => renderAll(relocated, bundle, ports, { signal }))) ?? [];
  const proof = proveAll(rendered, relocated, site);
  await phase("prove", options, () => Promise.resolve(stopAt(proof.findings, report)));
  await phase("apply", options, () =>
    release(rendered, { ...input, serviceAccounts: proof.accounts }, bundle, site, ports, options),
  );
  return { relocated, pushed, proof };
}

export function push(
  relocated: Relocated,
  bundle: Bundle,
  ports: Pick<InstallPorts, "target" | "pushOptions">,
  options: Pick<InstallOptions, "concurrency" | "signal" | "report">,
): Promise<PushResult> {
  const { delta } = bundle.document;
  return pushItems(relocated.mapped, bundle, ports.target, {
    ...ports.pushOptions,
    concurrency: options.concurrency,
    signal: options.signal,
    report: options.report,
    ...(delta === undefined ? {} : { base: delta.base }),
  });
}

async function chartCrds(relocated: Relocated, bundle: Bundle, ports: InstallPorts): Promise<readonly string[]> {
  const all: string[] = [];
  for (const chart of relocated.charts) all.push(...(await ports.chartCrds(await bundle.readFile(chart.file))));
  for (const name of bundle.entries.keys())
    if (name.startsWith("crds/")) all.push((await bundle.readFile(name)).toString("utf8"));
  return all;
}

function applyInput(
  relocated: Relocated,
  site: Site,
  crds: readonly string[],
  ports: InstallPorts,
  options: InstallOptions,
): ApplyInput {
  return {
    namespace: site.cluster.namespace,
    pullSecret: ports.pullSecret,
    ca: ports.ca,
    crds,
    trust: relocated.charts.flatMap(({ relocation }) => relocation.trust),
    serviceAccounts: [],
    takeOver: options.forceConflicts,
    signal: options.signal,
  };
}

/** Helm owns the release; what values cannot say is laid over it by an owner of our own. Without `--wait`: see the watch. */
async function release(
  rendered: readonly Rendered[],
  input: ApplyInput,
  bundle: Bundle,
  site: Site,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<void> {
  const { signal } = options;
  const timeoutSeconds = site.cluster.rolloutSeconds;
  for (const { chart } of rendered) {
    const archive = await bundle.readFile(chart.file);
    const helm = (path: string) => ports.helm.upgradeInstall(helmSource(chart, path), { timeoutSeconds, signal });
    await ports.withFile(`${chart.name}-${chart.version}.tgz`, archive, (path) =>
      overlayWhile(() => helm(path), input, ports.cluster, systemClock),
    );
  }
}
