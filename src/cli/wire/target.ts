import { dirname } from "node:path";
import { findLogin } from "../../edge/credentials/credentials.ts";
import { Harbor } from "../../edge/harbor/client.ts";
import type { EndpointAccess } from "../../edge/registry/access.ts";
import { connectRegistry, connectTransport, endpointsOf, type ConnectOptions } from "../../edge/registry/connect.ts";
import type { Registry } from "../../edge/registry/registry.ts";
import type { Transport } from "../../edge/registry/transport.ts";
import { Failure } from "../../model/failure.ts";
import { finding } from "../../model/finding.ts";
import type { Site } from "../../model/site.ts";
import type { PushOptions } from "../../stages/push/push.ts";
import type { Context } from "../context.ts";

/** The registry of the site, as the one who pushes; with Harbor's own API when it is one. */
export interface TargetSession extends AsyncDisposable {
  readonly registry: Registry;
  /** The first way to it, for questions that want to know how one door is. */
  readonly access: EndpointAccess;
  readonly harbor: Harbor | undefined;
  readonly pushOptions: Partial<PushOptions>;
}

export interface TargetOptions {
  readonly site: Site;
  /** Relative paths in the site file start beside it. */
  readonly sitePath: string;
  readonly concurrency?: number | undefined;
}

export async function openTarget(options: TargetOptions, context: Context): Promise<TargetSession> {
  const { host, insecure } = options.site.registry;
  if (insecure)
    context.reporter.report({ type: "finding", finding: finding("warning", "registry.insecure", { host }) });
  const connect = connectOptions(options, context);
  const [access] = await endpointsOf(host, connect);
  if (access === undefined) throw new Failure("USAGE", { what: `registries.${host}.endpoints` });
  const registry = await connectRegistry(host, connect);
  const api = new Harbor(access, { host, env: context.env });
  const harbor = (await api.ping(context.signal).catch(() => false)) ? api : undefined;
  return {
    registry,
    access,
    harbor,
    pushOptions: harbor === undefined ? {} : await harborPush(harbor, context),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([registry[Symbol.asyncDispose](), api[Symbol.asyncDispose]()]);
    },
  };
}

/** The same registry as the account that the cluster pulls with. */
export async function connectAsPuller(options: TargetOptions, context: Context): Promise<Registry> {
  return connectRegistry(options.site.registry.host, pullerOptions(options, context));
}

/** For plain files on a host of the site, such as its plugin server: the registry's CA is the company's. */
export async function connectPlain(host: string, options: TargetOptions, context: Context): Promise<Transport> {
  return connectTransport(host, connectOptions(options, context));
}

export async function pullerAccess(options: TargetOptions, context: Context): Promise<EndpointAccess | undefined> {
  return (await endpointsOf(options.site.registry.host, pullerOptions(options, context)))[0];
}

/** With credentials of its own for pulling, the endpoints' credentials are for pushing only. */
function pullerOptions(options: TargetOptions, context: Context): ConnectOptions {
  const { credentials } = options.site.pull;
  const plain = connectOptions(options, context);
  if (credentials === undefined) return plain;
  const registries = Object.fromEntries(
    Object.entries(plain.registries).map(([host, { endpoints }]) => [
      host,
      { endpoints: endpoints.map((endpoint) => ({ ...endpoint, credentials })) },
    ]),
  );
  return { ...plain, credentials, registries };
}

function connectOptions({ site, sitePath, concurrency }: TargetOptions, context: Context): ConnectOptions {
  const { plainHttp, insecure, ca, credentials } = site.registry;
  const { env, reporter } = context;
  const baseDirectory = dirname(sitePath);
  const { registries } = site;
  return {
    registries,
    baseDirectory,
    env,
    side: "target",
    plainHttp,
    insecure,
    ca,
    credentials,
    concurrency,
    report: reporter.report,
  };
}

async function harborPush(harbor: Harbor, { signal }: Context): Promise<Partial<PushOptions>> {
  const { version } = await harbor.systemInfo(signal).catch(() => ({ version: undefined }));
  return {
    state: harbor,
    artifactDigest: (repository, tag, abort) => harbor.artifactDigest(repository, tag, abort),
    ...(version === undefined ? {} : { harborVersion: version }),
  };
}

/** Who the cluster pulls as: who the site names for it, else who pushes. `undefined`: anonymous. */
export async function pullLogin(site: Site, context: Context) {
  const source = site.pull.credentials ?? site.registry.credentials;
  if (source === undefined) return undefined;
  return findLogin(site.registry.host, { env: context.env, source, signal: context.signal });
}
