import { Harbor } from "../../edge/harbor/client.ts";
import { TargetProbe } from "../../edge/harbor/probe.ts";
import { parseBytes } from "../../std/bytes.ts";
import type { Finding } from "../../model/finding.ts";
import type { Site } from "../../model/site.ts";
import type { PreflightContext } from "../../pipeline/install-ports.ts";
import type { Relocated } from "../../pipeline/relocated.ts";
import { preflightRegistry, type PreflightResult } from "../../stages/preflight-registry/preflight.ts";
import type { Context } from "../context.ts";
import { targetAccess } from "./target.ts";

/** All that can be asked of the registry before a byte is sent. */
export async function askRegistry(
  { site, relocated, bundle }: PreflightContext,
  sitePath: string,
  context: Context,
): Promise<PreflightResult> {
  const access = await targetAccess(site, sitePath, context);
  await using probe = new TargetProbe(access, { host: site.registry.host, env: context.env });
  return await preflightRegistry(
    {
      host: site.registry.host,
      plainHttp: site.registry.plainHttp,
      insecure: access.insecure,
      as: await probe.identity(),
      mapped: relocated.mapped,
      largestBlob: Math.max(0, ...bundle.document.blobs.map(({ size }) => size)),
      createProject: site.registry.createProject !== undefined,
      now: () => context.now().getTime(),
      signal: context.signal,
    },
    probe,
  );
}

export async function registryFindings(
  asked: PreflightContext,
  sitePath: string,
  context: Context,
): Promise<readonly Finding[]> {
  return (await askRegistry(asked, sitePath, context)).findings;
}

/** Makes the project when the site asks for it and the registry is a Harbor; that it is there already is success. */
export async function createProjects(
  site: Site,
  relocated: Relocated,
  sitePath: string,
  context: Context,
): Promise<void> {
  const { createProject, host } = site.registry;
  if (createProject === undefined) return;
  await using harbor = new Harbor(await targetAccess(site, sitePath, context), { host, env: context.env });
  if (!(await harbor.ping(context.signal).catch(() => false))) return;
  const names = new Set(
    relocated.mapped.flatMap(({ targets }) => targets.map(({ repository }) => repository.split("/")[0] ?? "")),
  );
  const limit = createProject.storageLimit === undefined ? undefined : parseBytes(createProject.storageLimit);
  for (const name of names)
    await harbor.createProject({ name, isPublic: createProject.public, storageLimit: limit }, context.signal);
}
