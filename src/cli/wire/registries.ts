import { reportFindings } from "../../model/event.ts";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { findLogin } from "../../edge/credentials/credentials.ts";
import { Harbor } from "../../edge/harbor/client.ts";
import type { EndpointAccess } from "../../edge/registry/access.ts";
import { connectRegistry, connectTransport, endpointsOf, type ConnectOptions } from "../../edge/registry/connect.ts";
import { RegistryFailure } from "../../edge/registry/errors.ts";
import { Registry } from "../../edge/registry/registry.ts";
import type { Transport } from "../../edge/registry/transport.ts";
import { Failure, isFailure, type Side } from "../../model/failure.ts";
import { finding } from "../../model/finding.ts";
import type { Reference } from "../../model/reference.ts";
import type { Site } from "../../model/site.ts";
import type { Registries } from "../../model/spec.ts";
import type { PushPorts } from "../../pipeline/push.ts";
import { retry, type RetryPolicy } from "../../std/retry.ts";
import type { Context } from "../context.ts";

export interface RegistryPool extends AsyncDisposable {
  repository(reference: Pick<Reference, "registry" | "repository">): Promise<ReturnType<Registry["repository"]>>;
  /** For what lies on a host as plain files: a chart repository. */
  transport(host: string): Promise<Transport>;
}

export interface PoolOptions {
  readonly registries: Registries;
  /** Relative paths of CA and password files start here. */
  readonly baseDirectory: string;
  readonly side: Side;
  readonly concurrency?: number | undefined;
}

/** One connection pool for each host that is asked for, opened when it is first asked. */
export function registryPool(options: PoolOptions, context: Context): RegistryPool {
  const open = new Map<string, Promise<Registry>>();
  const plain = new Map<string, Promise<Transport>>();
  const access = {
    registries: options.registries,
    baseDirectory: options.baseDirectory,
    env: context.env,
    side: options.side,
    report: context.reporter.report,
    signal: context.signal,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  };
  return {
    async repository({ registry, repository }) {
      const known = open.get(registry) ?? connectRegistry(registry, access);
      open.set(registry, known);
      return (await known).repository(repository);
    },
    transport(host) {
      const known = plain.get(host) ?? connectTransport(host, access);
      plain.set(host, known);
      return known;
    },
    async [Symbol.asyncDispose]() {
      // A registry that could not be opened has been told to who asked for it; the others are closed all the same.
      const opened = await Promise.allSettled([...open.values(), ...plain.values()]);
      for (const result of opened) if (result.status === "fulfilled") await closed(result.value);
    },
  };
}

function closed(one: Registry | Transport): Promise<void> {
  return "close" in one ? one.close() : one[Symbol.asyncDispose]();
}

/** The registry of the site, as the one who pushes, with Harbor's own API when it is one: the ports of a push. */
export interface TargetSession extends AsyncDisposable {
  readonly target: Registry;
  /** The first way to it, for questions that want to know how one door is. */
  readonly access: EndpointAccess;
  /**
   * Harbor's own API; `undefined` when what answers is no Harbor.
   * @throws Failure REGISTRY_* when nobody answered who could say: that is not "no Harbor"
   */
  harbor(): Harbor | undefined;
  readonly pushOptions: PushPorts["pushOptions"];
}

export interface TargetOptions {
  readonly site: Site;
  /** Relative paths in the site file start beside it. */
  readonly sitePath: string;
  readonly concurrency?: number | undefined;
}

export async function openTarget(options: TargetOptions, context: Context): Promise<TargetSession> {
  const { host, insecure } = options.site.registry;
  if (insecure) reportFindings([finding("warning", "registry.insecure", { host })], context.reporter.report);
  const connect = connectOptions(options, context);
  const endpoints = await endpointsOf(host, connect);
  const [access] = endpoints;
  if (access === undefined) throw new Failure("USAGE", { what: `registries.${host}.endpoints`, wrong: "empty" });
  // All of a run share one access: a credential that is wrong is wrong once.
  const target = new Registry({ host, endpoints, side: "target" }, connect);
  const api = new Harbor(access, { host, env: context.env });
  const isHarbor = await askWhether(api, context);
  return {
    target,
    access,
    harbor() {
      if (typeof isHarbor !== "boolean") throw isHarbor;
      return isHarbor ? api : undefined;
    },
    pushOptions: isHarbor === true ? await harborPush(api, context) : {},
    [Symbol.asyncDispose]: async () => {
      await Promise.all([target[Symbol.asyncDispose](), api[Symbol.asyncDispose]()]);
    },
  };
}

/** A proxy that restarts is away for seconds; whoever answers for longer with nothing has a finding of its own. */
const patience: RetryPolicy = {
  transient: (error) => (error instanceof RegistryFailure ? error.retryAfter : undefined),
  attempts: 4,
  baseDelay: 500,
  maxDelay: 4000,
};

async function askWhether(api: Harbor, { signal }: Context): Promise<boolean | Failure> {
  try {
    return await retry(patience, () => api.isHarbor(signal), { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    return error;
  }
}

/** The same registry as the account that the cluster pulls with. */
export async function connectAsPuller(options: TargetOptions, context: Context): Promise<Registry> {
  return connectRegistry(options.site.registry.host, pullerOptions(options, context));
}

/** For plain files on a host of the site, such as its plugin server: the registry's CA is the company's. */
export async function connectPlain(host: string, options: TargetOptions, context: Context): Promise<Transport> {
  return connectTransport(host, connectOptions(options, context));
}

/** The pusher's own access where the cluster pulls as who pushes, or by the same name and password. */
export async function pullerAccess(
  { access }: Pick<TargetSession, "access">,
  options: TargetOptions,
  context: Context,
): Promise<EndpointAccess> {
  if (options.site.pull.credentials === undefined) return access;
  const [puller = access] = await endpointsOf(options.site.registry.host, pullerOptions(options, context));
  const [pushes, pulls] = await Promise.all([access.account.login(), puller.account.login()]);
  return isDeepStrictEqual(pushes, pulls) ? access : puller;
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
  const { registry, registries } = site;
  const { env, reporter, signal } = context;
  const baseDirectory = dirname(sitePath);
  return { ...registry, registries, baseDirectory, env, side: "target", concurrency, report: reporter.report, signal };
}

async function harborPush(harbor: Harbor, { signal }: Context): Promise<PushPorts["pushOptions"]> {
  const { version } = await harbor.systemInfo(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    // Who is not told the version pushes all the same: only what that version cannot store is not foreseen.
    if (!isFailure(error)) throw error;
    return { version: undefined };
  });
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
  return findLogin(site.registry.host, {
    env: context.env,
    source,
    signal: context.signal,
    report: context.reporter.report,
  });
}
