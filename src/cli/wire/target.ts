import { dirname } from "node:path";
import { findLogin } from "../../edge/credentials/credentials.ts";
import { connectRegistry } from "../../edge/registry/connect.ts";
import type { Registry } from "../../edge/registry/registry.ts";
import type { Site } from "../../model/site.ts";
import type { PullSecret } from "../../stages/apply/objects.ts";
import type { Context } from "../context.ts";

/** The registry of the site, as the one who pushes. */
export async function connectTarget(
  site: Site,
  sitePath: string,
  context: Context,
  concurrency?: number,
): Promise<Registry> {
  const { host, plainHttp, insecure, ca, credentials } = site.registry;
  if (insecure)
    context.reporter.report({
      type: "finding",
      finding: { code: "registry.insecure", severity: "warning", facts: { host } },
    });
  return connectRegistry(host, {
    registries: site.registries,
    baseDirectory: dirname(sitePath),
    env: context.env,
    side: "target",
    plainHttp,
    insecure,
    report: context.reporter.report,
    ...(ca === undefined ? {} : { ca }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(concurrency === undefined ? {} : { concurrency }),
  });
}

/** The secret that pods pull with: who the site names for it, else who pushes; none when both are anonymous. */
export async function pullSecretOf(site: Site, context: Context): Promise<PullSecret | undefined> {
  const source = site.pull.credentials ?? site.registry.credentials;
  if (source === undefined) return undefined;
  const login = await findLogin(site.registry.host, { env: context.env, source, signal: context.signal });
  if (login === undefined) return undefined;
  return {
    name: site.pull.secretName,
    registry: site.registry.host,
    username: login.username,
    password: login.password,
  };
}
