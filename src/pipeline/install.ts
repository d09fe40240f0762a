import { createHash } from "node:crypto";
import { packObjects } from "../content/chart-of-objects.ts";
import { installPhases, type NoteEvent, reportFindings } from "../model/event.ts";
import { unlessForbidden } from "../model/failure.ts";
import { finding, hasErrors, type Finding } from "../model/finding.ts";
import { unknownCluster, type PluginRecord, type Receipt } from "../model/receipt.ts";
import { renderedObjects, identityOf } from "../model/rendered-object.ts";
import type { Site } from "../model/site.ts";
import { prepareCluster, type ApplyInput } from "../stages/apply/apply.ts";
import type { Bundle } from "../content/open-bundle.ts";
import type { PushResult } from "../stages/push/push.ts";
import { beginReceipt, type ClusterIdentity } from "../stages/receipt/receipt.ts";
import type { WorkloadRef } from "../stages/rollout/progress.ts";
import { watchRollout } from "../stages/rollout/watch.ts";
import { canonicalJson, type Json } from "../std/canonical-json.ts";
import { systemClock } from "../std/clock.ts";
import { checkLive } from "./check.ts";
import { specCrds } from "./export.ts";
import type { InstallPlan, PlannedChart } from "./install-plan.ts";
import type { InstallOptions, InstallPorts, InstallInput } from "./install-ports.ts";
import { endPending, overlayWhile } from "./release.ts";
import { pullAsGateway, settle, switchOn } from "./plugins.ts";
import { helmSource, proveAll, renderAll, type ProofResult, type Rendered } from "./prove.ts";
import { push } from "./push.ts";
import { Recorder } from "./recorder.ts";
import { pluginTarget, wantedPlugins } from "./wanted-plugins.ts";

export interface InstallResult {
  readonly receipt: Receipt;
  readonly pushed: PushResult | undefined;
  readonly proof: ProofResult;
  readonly findings: readonly Finding[];
}

interface Installing {
  readonly bundle: Bundle;
  readonly site: Site;
  readonly plan: InstallPlan;
  readonly ports: InstallPorts;
  readonly options: InstallOptions;
  readonly recorder: Recorder;
}

/** verify > preflight > push > render > prove > apply > plugins > check: the far side, from one file to a proven release. */
export async function install(
  input: InstallInput,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<InstallResult> {
  const { bundle, site, plan } = input;
  const recorder = await beginRecord(input, ports, options);
  const run: Installing = { bundle, site, plan, ports, options, recorder };
  options.report({ type: "job", phases: installPhases.filter((phase) => !options.skip.has(phase)) });
  await recorder.phase("verify", async () => {
    recorder.stopAt(await ports.verify(bundle));
  });
  await recorder.phase("preflight", async () => {
    await endPending(recorder.receipt, { site, plan, helm: ports.helm, ...options });
    recorder.stopAt(await ports.preflight(input, { pushes: !options.skip.has("push") }));
  });
  const pushed = await recorder.phase("push", () => pushPhase(run));
  const toApply = await applyInput(run);
  const rendered = (await recorder.phase("render", () => renderPhase(run, toApply))) ?? [];
  const proof = proveAll(rendered, plan, site, ports);
  if (!options.skip.has("render")) options.evidence?.({ rendered, proof });
  await recorder.phase("prove", () => {
    recorder.stopAt(proof.findings);
    return Promise.resolve();
  });
  await recorder.phase("apply", () => applyPhase(run, { ...toApply, serviceAccounts: proof.accounts }, rendered));
  const switched = (await recorder.phase("plugins", () => pluginsPhase(run))) ?? [];
  const live = (await recorder.phase("check", () => checkPhase(input, ports, options))) ?? [];
  if (!hasErrors(live)) await recorder.done();
  return { receipt: recorder.receipt, pushed, proof, findings: [...switched, ...live] };
}

async function beginRecord(
  { bundle, site, plan }: InstallInput,
  ports: InstallPorts,
  options: InstallOptions,
): Promise<Recorder> {
  const { name, version } = bundle.document;
  const { namespace, release } = site.cluster;
  // Who may not read them goes on: preflight comes later and names all rights that lack, not only the first.
  const receipts = await unlessForbidden(ports.receipts.load());
  const receipt = beginReceipt("answer" in receipts ? receipts.answer : [], {
    tool: ports.tool,
    bundle: { name, version, id: bundle.id },
    cluster: { ...(await clusterIdentity(ports.cluster, options.signal)), namespace, release },
    values: valuesDigest(plan),
    adopted: options.adopted,
    now: ports.now(),
  });
  const { report, skip, signal } = options;
  return new Recorder({ receipt, save: (next) => ports.receipts.save(next), now: ports.now, report, skip, signal });
}

/** The uid of kube-system is the nearest thing to a name that a cluster has; who may not read it knows the address. */
export async function clusterIdentity(
  cluster: Pick<InstallPorts["cluster"], "get" | "address">,
  signal: AbortSignal,
): Promise<ClusterIdentity> {
  const named = { resource: "namespaces", name: "kube-system" };
  const system = await unlessForbidden(cluster.get<{ metadata: { uid?: string } }>(named, signal));
  const url = await cluster.address(signal);
  const uid = "answer" in system ? system.answer?.metadata.uid : undefined;
  return { server: uid ?? unknownCluster, ...(url === undefined ? {} : { url }) };
}

function valuesDigest(plan: InstallPlan): string {
  const values = plan.charts.map((chart) => [chart.name, chart.values]);
  return createHash("sha256")
    .update(canonicalJson(values as unknown as Json))
    .digest("hex");
}

async function pushPhase({ plan, bundle, site, ports, options, recorder }: Installing): Promise<PushResult> {
  const { concurrency, signal, report } = options;
  const result = await push({ site, plan, content: bundle }, ports, { concurrency, signal, report });
  options.evidence?.({ pushed: result });
  await recorder.add({ pushed: result.tags.map(({ reference, digest }) => `${reference}@${digest}`) });
  recorder.stopAt(await pullAsGateway(plan.mapped, site, ports, options));
  return result;
}

async function applyInput({ plan, bundle, site, ports, options }: Installing): Promise<ApplyInput> {
  const crds: string[] = [];
  for (const chart of plan.charts) crds.push(...(await ports.chartCrds(await bundle.readFile(chart.file))));
  crds.push(...(await specCrds(bundle)));
  return {
    namespace: site.cluster.namespace,
    pullSecret: options.skip.has("apply") ? undefined : await ports.pullSecret(),
    ca: ports.ca,
    crds,
    trust: plan.charts.flatMap(({ relocation }) => relocation.trust),
    serviceAccounts: [],
    takeOver: options.forceConflicts,
    signal: options.signal,
  };
}

/** The dry run needs the CRDs of what it renders, so namespace, secret, CA and CRDs come before it; none of them pulls. */
async function renderPhase(
  { plan, bundle, ports, options, recorder }: Installing,
  input: ApplyInput,
): Promise<readonly Rendered[]> {
  await recorder.add(await prepareCluster(input, ports.cluster));
  return renderAll(plan, bundle, ports, { signal: options.signal });
}

/**
 * Helm owns the release; what values cannot say is laid over it under a field manager of our own. Helm is not told to
 * `--wait`: `watchRollout` waits afterwards, and can say why a pod does not start.
 */
async function applyPhase(run: Installing, input: ApplyInput, rendered: readonly Rendered[]): Promise<void> {
  const { plan, bundle, site, ports, options, recorder } = run;
  const { signal, report } = options;
  const seconds = site.cluster.rolloutSeconds;
  const target = pluginTarget(plan);
  const leftovers = await settle(plan, site, ports, options);
  await recorder.add({ leftovers: leftovers.records });
  for (const { name, did, url } of leftovers.records)
    report(leftoverNote(name, url, did === "repointed" ? target(url)?.url : undefined));
  const stuck = leftovers.stuck.map(({ name, url }) => finding("warning", "cluster.leftover-plugin", { name, url }));
  reportFindings(stuck, report);
  for (const [at, { chart }] of rendered.entries()) {
    await takeOwnership(chart, run);
    report({ type: "step", phase: "apply", name: `helm upgrade ${chart.release}`, done: at, items: rendered.length });
    const helm = (path: string) =>
      ports.helm.upgradeInstall(helmSource(chart, path), {
        timeoutSeconds: seconds,
        takeOver: options.forceConflicts,
        signal,
      });
    const found = await ports.helm.status(chart.release, chart.namespace, { signal });
    await recorder.beginRelease(chart, found?.status === "deployed" ? found.revision : 0);
    const { result, applied } = await ports.withFile(
      `${chart.name}-${chart.version}.tgz`,
      await bundle.readFile(chart.file),
      (path) => overlayWhile(() => helm(path), input, ports.cluster, systemClock),
    );
    await recorder.endRelease(chart, result.revision);
    await recorder.add(applied);
  }
  const workloads = rendered.flatMap(({ manifest }) => workloadsOf(manifest));
  await watchRollout(workloads, ports.cluster, { namespace: site.cluster.namespace, seconds, report, signal });
}

function leftoverNote(name: string, url: string, to: string | undefined): NoteEvent {
  return to === undefined
    ? { type: "note", text: "leftover-off", facts: { name, url } }
    : { type: "note", text: "leftover-repointed", facts: { name, url, to } };
}

/**
 * Objects without a release become one as they stand: its first revision is what `rollback` goes back to, and keeps what
 * was set for them. Only marks of helm are added, so no pod starts anew.
 */
async function takeOwnership(
  { name, release, namespace, unreleased }: PlannedChart,
  { site, ports, options }: Installing,
): Promise<void> {
  if (unreleased === undefined) return;
  const { signal } = options;
  const { objects, version, values = {} } = unreleased;
  await ports.withFile(`${name}-${version}.tgz`, packObjects({ name, version }, objects), (chart) =>
    ports.helm.upgradeInstall(
      { chart, release, namespace, values: [values], takesOwnership: true },
      { timeoutSeconds: site.cluster.rolloutSeconds, signal },
    ),
  );
}

export function workloadsOf(manifest: string): readonly WorkloadRef[] {
  return renderedObjects(manifest).flatMap((object) => {
    const { kind, name } = identityOf(object);
    return kind === "Deployment" || kind === "StatefulSet" || kind === "DaemonSet" ? [{ kind, name }] : [];
  });
}

async function pluginsPhase({ plan, site, ports, options, recorder }: Installing): Promise<readonly Finding[]> {
  const wanted = wantedPlugins(plan, site, ports.userPlugins);
  // The proof has told them already, unless it was left out.
  if (options.skip.has("prove")) recorder.stopAt(wanted.findings);
  const plugins = wanted.plugins.map(({ plugin }) => plugin);
  const keep = (record: PluginRecord) => recorder.add({ plugins: [record] });
  const findings = await switchOn({ plugins, plan, site, keep }, ports, options);
  reportFindings(findings, options.report);
  return findings;
}

async function checkPhase(
  input: InstallInput,
  ports: InstallPorts,
  { skip, signal, report }: InstallOptions,
): Promise<readonly Finding[]> {
  const found = await checkLive(input, ports, signal);
  // Who leaves out apply knows that nothing may stand there yet.
  const live = found.filter(({ code }) => !(skip.has("apply") && code === "cluster.release-absent"));
  reportFindings(live, report);
  return live;
}
