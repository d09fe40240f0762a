import { resolve } from "node:path";
import type { Report } from "../../model/event.ts";
import type { Side } from "../../model/failure.ts";
import type { ClientCertificate, CredentialsSource, EndpointSettings, Registries } from "../../model/spec.ts";
import type { RetryPolicy } from "../../std/retry.ts";
import { findLogin } from "../credentials/credentials.ts";
import type { EndpointAccess } from "./access.ts";
import { Account } from "./auth/account.ts";
import { Registry } from "./registry.ts";
import { loadKeyPair, loadRoots } from "./roots.ts";
import type { Transport } from "./transport.ts";
import { UndiciTransport } from "./undici-transport.ts";

export interface ConnectOptions {
  /** From the spec or site file: how hosts are reached. */
  readonly registries: Registries;
  /** Relative paths in `registries`, `ca` and `credentials` start here. */
  readonly baseDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly side: Side;
  /** The host's own endpoint; what `registries` says about the host comes first. */
  readonly plainHttp?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly clientCertificate?: ClientCertificate | undefined;
  readonly insecure?: boolean | undefined;
  readonly credentials?: CredentialsSource | undefined;
  readonly report?: Report | undefined;
  /** Ends what is waited for before a request: a credential helper. */
  readonly signal?: AbortSignal | undefined;
  readonly concurrency?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly stallSeconds?: number | undefined;
  readonly partSize?: number | undefined;
  readonly userAgent?: string | undefined;
  /** Where docker keeps the CAs of hosts. @default /etc/docker/certs.d */
  readonly certsDirectory?: string | undefined;
}

/** Docker Hub's API is not where its name says. */
const apiHosts: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/**
 * A client of `host`, with its mirrors, CAs, proxies and credentials looked up. Nothing is sent yet.
 * @throws Failure FILE_MISSING, FILE_UNREADABLE, CONFIG_INVALID for a CA file that was named
 */
export async function connectRegistry(host: string, options: ConnectOptions): Promise<Registry> {
  return new Registry({ host, endpoints: await endpointsOf(host, options), side: options.side }, options);
}

/** The ways to `host` in the order in which they are tried: its mirrors, or itself. */
export async function endpointsOf(host: string, options: ConnectOptions): Promise<readonly EndpointAccess[]> {
  const mirrors = options.registries[host]?.endpoints;
  const endpoints = mirrors ?? [ownEndpoint(host, options)];
  return Promise.all(endpoints.map((each) => accessOf(host, each, options)));
}

/** What fetches plain files from `host`, a chart repository: with the CAs and proxies that its registry would get. */
export async function connectTransport(host: string, options: ConnectOptions): Promise<Transport> {
  const named = options.registries[host]?.endpoints.find(({ url }) => new URL(url).host === host);
  const { ca, insecure, ...access } = await accessOf(host, named ?? ownEndpoint(host, options), options);
  const client = access.client && { ...access.client, origin: access.origin };
  const { env, stallSeconds = 30 } = options;
  return new UndiciTransport({ ca, insecure, client, env, connections: 4, stallSeconds });
}

function ownEndpoint(host: string, options: ConnectOptions): EndpointSettings {
  const { plainHttp = false, insecure = false, ca, clientCertificate } = options;
  const url = `${plainHttp ? "http" : "https"}://${apiHosts[host] ?? host}`;
  return { url, insecure, ...(ca !== undefined && { ca }), ...(clientCertificate && { clientCertificate }) };
}

async function accessOf(host: string, endpoint: EndpointSettings, options: ConnectOptions): Promise<EndpointAccess> {
  const { env, baseDirectory, certsDirectory, report, signal } = options;
  const url = new URL(endpoint.url);
  // Another address of the registry shows the same certificate, so the CA that is named for it holds there as its login does.
  const named = endpoint.ca ?? options.ca;
  const ca = named === undefined ? undefined : resolve(baseDirectory, named);
  const roots = url.protocol === "https:" && !endpoint.insecure;
  // Prefixes are repository paths; who copied a mirror's API address meant the registry behind it.
  const pathPrefix = url.pathname.replace(/^\/v2(?=\/|$)/, "").replace(/\/+$/, "");
  const credentials = endpoint.credentials ?? options.credentials;
  const source = credentials === undefined ? undefined : inDirectory(baseDirectory, credentials);
  const knownAs = apiHosts[host] === url.host ? host : `${url.host}${pathPrefix}`;
  return {
    origin: url.origin,
    pathPrefix,
    ca: roots ? await loadRoots({ env, host: url.host, ca, certsDirectory }) : [],
    caNamed: ca !== undefined,
    client: endpoint.clientCertificate && (await loadKeyPair(endpoint.clientCertificate, baseDirectory)),
    insecure: endpoint.insecure,
    account: new Account(() => findLogin(knownAs, { env, source, report, signal })),
  };
}

function inDirectory(directory: string, source: CredentialsSource): CredentialsSource {
  const { passwordFile } = source;
  return passwordFile === undefined ? source : { ...source, passwordFile: resolve(directory, passwordFile) };
}
