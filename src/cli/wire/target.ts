import { dirname } from "node:path";
import { findLogin } from "../../edge/credentials/credentials.ts";
import type { EndpointAccess } from "../../edge/registry/access.ts";
import { connectRegistry, endpointsOf, type ConnectOptions } from "../../edge/registry/connect.ts";
import type { Registry } from "../../edge/registry/registry.ts";
import { Failure } from "../../model/failure.ts";
import { finding } from "../../model/finding.ts";
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
  const { host, insecure } = site.registry;
  if (insecure)
    context.reporter.report({ type: "finding", finding: finding("warning", "registry.insecure", { host }) });
  return connectRegistry(host, connectOptions(site, sitePath, context, concurrency));
}

/** The first way to it, for questions that want to know how one door is. */
export async function targetAccess(site: Site, sitePath: string, context: Context): Promise<EndpointAccess> {
  const [first] = await endpointsOf(site.registry.host, connectOptions(site, sitePath, context));
  if (first === undefined) throw new Failure("USAGE", { what: `registries.${site.registry.host}.endpoints` });
  return first;
}

function connectOptions(site: Site, sitePath: string, context: Context, concurrency?: number): ConnectOptions {
  const { plainHttp, insecure, ca, credentials } = site.registry;
  return {
    registries: site.registries,
    baseDirectory: dirname(sitePath),
    env: context.env,
    side: "target",
    plainHttp,
    insecure,
    ca,
    credentials,
    concurrency,
    report: context.reporter.report,
  };
}

/** The secret that pods pull with: who the site names for it, else who pushes; none when both are anonymous. */
export async function pullSecretOf(site: Site, context: Context): Promise<PullSecret | undefined> {
  const source = site.pull.credentials ?? site.registry.credentials;
  if (source === undefined) return undefined;
  const { host: registry } = site.registry;
  const login = await findLogin(registry, { env: context.env, source, signal: context.signal });
  return login === undefined
    ? undefined
    : { name: site.pull.secretName, registry, username: login.username, password: login.password };
}
