import { TargetProbe } from "../../edge/harbor/probe.ts";
import type { Finding } from "../../model/finding.ts";
import type { PreflightContext } from "../../pipeline/install-ports.ts";
import { preflightRegistry, type PreflightResult } from "../../stages/preflight-registry/preflight.ts";
import { bytesByProject, planPush } from "../../stages/push/plan.ts";
import type { Context } from "../context.ts";
import { pullerAccess, type TargetOptions, type TargetSession } from "./target.ts";

/** All that can be asked of the registry before a byte is sent, with the eyes of who pushes and of who pulls. */
export async function askRegistry(
  asked: PreflightContext,
  session: TargetSession,
  options: TargetOptions,
  context: Context,
): Promise<PreflightResult> {
  const { site, plan, bundle } = asked;
  const { host } = site.registry;
  await using probe = new TargetProbe(session.access, { host, env: context.env });
  await using puller = new TargetProbe(await pullerAccess(session, options, context), { host, env: context.env });
  return await preflightRegistry(
    {
      host,
      plainHttp: site.registry.plainHttp,
      insecure: session.access.insecure,
      as: await probe.identity(),
      mapped: plan.mapped,
      missing: await missingBytes(asked, session, context),
      largestBlob: Math.max(0, ...bundle.document.blobs.map(({ size }) => size)),
      createProject: site.registry.createProject !== undefined,
      robot: site.pull.robot,
      pull: Object.assign(puller, { as: await puller.identity() }),
      now: () => context.now().getTime(),
      signal: context.signal,
    },
    probe,
  );
}

/**
 * What a push would add, by project; of one that does not let us ask, the questions themselves will say why. Each is
 * counted for itself: a blob that is in another project counts here all the same.
 */
async function missingBytes(
  { plan, bundle }: PreflightContext,
  session: TargetSession,
  context: Context,
): Promise<ReadonlyMap<string, number>> {
  const { artifactDigest } = session.pushOptions;
  const options = { signal: context.signal, ...(artifactDigest === undefined ? {} : { artifactDigest }) };
  const sums = new Map<string, number>();
  for (const [project, mapped] of byProject(plan.mapped)) {
    try {
      const push = await planPush(mapped, bundle, session.registry, options);
      sums.set(project, bytesByProject(push).get(project) ?? 0);
    } catch {
      context.signal.throwIfAborted();
    }
  }
  return sums;
}

type Mapped = PreflightContext["plan"]["mapped"];

function byProject(mapped: Mapped): ReadonlyMap<string, Mapped> {
  const projectOf = ({ repository }: { readonly repository: string }): string => repository.split("/")[0] ?? "";
  const names = new Set(mapped.flatMap(({ targets }) => targets.map(projectOf)));
  return new Map(
    [...names].map((name) => [
      name,
      mapped
        .map((each) => ({ ...each, targets: each.targets.filter((target) => projectOf(target) === name) }))
        .filter(({ targets }) => targets.length > 0),
    ]),
  );
}

export async function registryFindings(
  asked: PreflightContext,
  session: TargetSession,
  options: TargetOptions,
  context: Context,
): Promise<readonly Finding[]> {
  return (await askRegistry(asked, session, options, context)).findings;
}
