import { silent, type Report } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import type { RetryPolicy } from "../../std/retry.ts";
import type { RegistryAccess } from "./access.ts";
import { parseChallenges, type Challenge } from "./auth/challenge.ts";
import { BulkTransport } from "./bulk-transport.ts";
import { Endpoint } from "./endpoint.ts";
import { Endpoints, RemoteRepository, type Repository } from "./repository.ts";
import { Remote, registryRetry, UploadParts } from "./remote.ts";
import type { WireResponse } from "./transport.ts";
import { UndiciTransport } from "./undici-transport.ts";

export interface RegistryOptions {
  /** Where proxies are named. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Blobs that the caller moves at once; sizes the connection pool. @default 8 */
  readonly concurrency?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** @default 30 */
  readonly stallSeconds?: number | undefined;
  /** Bytes of one PATCH, where a blob does not go through in one piece. @default 64 MiB */
  readonly partSize?: number | undefined;
  /** Bytes of a blob from which it is received over a socket of its own. @default 4 MiB */
  readonly bulkFrom?: number | undefined;
  readonly report?: Report | undefined;
  readonly userAgent?: string | undefined;
}

const repositoryName = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;

/** A client of one registry. Dispose of it to close its connections. */
export class Registry implements AsyncDisposable {
  readonly host: string;
  readonly #access: RegistryAccess;
  readonly #options: RegistryOptions;
  readonly #endpoints: readonly [Endpoint, ...Endpoint[]];
  readonly #down = new Set<number>();
  readonly #parts: UploadParts;
  readonly #repositories = new Map<string, RemoteRepository>();

  constructor(access: RegistryAccess, options: RegistryOptions) {
    const [first, ...others] = access.endpoints.map((each) => endpointOf(access, each, options));
    if (first === undefined) throw new RangeError(`Cannot reach "${access.host}": no endpoint`);
    this.host = access.host;
    this.#access = access;
    this.#options = options;
    this.#parts = new UploadParts(options.partSize);
    this.#endpoints = [first, ...others];
  }

  /** @throws Failure REFERENCE_INVALID for a name that no registry has */
  repository(name: string): Repository {
    if (!repositoryName.test(name))
      throw new Failure("REFERENCE_INVALID", { value: name.slice(0, 300), why: "repository" });
    const known = this.#repositories.get(name);
    if (known !== undefined) return known;
    const [first, ...others] = this.#endpoints.map((endpoint) => this.#remote(endpoint, name));
    if (first === undefined) throw new RangeError("no endpoint");
    const endpoints = new Endpoints<Remote>([first, ...others], this.#down);
    const made = new RemoteRepository(name, endpoints);
    this.#repositories.set(name, made);
    return made;
  }

  /** How the first endpoint answers, before and after it knows who we are. */
  ping(signal?: AbortSignal): Promise<Ping> {
    return ping(this.#endpoints[0], signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }

  #remote(endpoint: Endpoint, name: string): Remote {
    const policy = this.#options.retry ?? registryRetry;
    // Where there is another way, a dead one must not cost all its tries first.
    const attempts = this.#endpoints.length > 1 ? Math.min(2, policy.attempts) : policy.attempts;
    const { report = silent } = this.#options;
    const { side } = this.#access;
    return new Remote({ endpoint, name, side, policy: { ...policy, attempts }, report, parts: this.#parts });
  }
}

function endpointOf(
  access: RegistryAccess,
  endpoint: RegistryAccess["endpoints"][number],
  options: RegistryOptions,
): Endpoint {
  const { env, stallSeconds = 30, bulkFrom } = options;
  const { ca, insecure } = endpoint;
  const client = endpoint.client && { ...endpoint.client, origin: new URL(endpoint.origin).origin };
  // A copy within one registry holds two sockets per blob; fewer would wait for each other for ever.
  const connections = 2 * (options.concurrency ?? 8) + 8;
  const general = new UndiciTransport({ ca, insecure, client, env, connections, stallSeconds });
  const transport = new BulkTransport({ general, tls: (url) => general.tls(url), env, stallSeconds, from: bulkFrom });
  const { host, side } = access;
  return new Endpoint({ access: endpoint, transport, host, side, userAgent: options.userAgent ?? "higress-airgap" });
}

/** What `GET /v2/` tells before anything is asked of a registry. */
interface Ping {
  readonly origin: string;
  /** To a stranger: 200 when anyone may read, 401 when it wants to know who, 404 when this is no registry. */
  readonly status: number;
  readonly challenges: readonly Challenge[];
  /**
   * By lower-case name, first value: enough to tell one product from another
   * (docs/facts/harbor.md#telling-registries-apart).
   */
  readonly header: (name: string) => string | undefined;
  /** Where it sends us: port 80 of a Harbor with TLS says 308 to https. Nothing was sent there. */
  readonly redirect: string | undefined;
  /** With our credentials; the same as `status` when it asked for none. */
  readonly authenticated: number;
}

/** One anonymous request, and one with credentials if it wants them. No retries: whoever asks wants to know now. */
async function ping(endpoint: Endpoint, signal?: AbortSignal): Promise<Ping> {
  const action = "GET /v2/";
  const response = await endpoint.probe("/v2/", action, signal);
  await response.body.drain();
  const challenges = parseChallenges(response.header("www-authenticate"));
  const redirect = response.status >= 300 && response.status < 400 ? response.header("location")[0] : undefined;
  const authenticated = response.status === 401 ? await again(endpoint, action, signal) : response.status;
  return {
    origin: endpoint.origin.origin,
    status: response.status,
    challenges,
    header: (name) => response.header(name)[0],
    redirect,
    authenticated,
  };
}

async function again(endpoint: Endpoint, action: string, signal?: AbortSignal): Promise<number> {
  const response: WireResponse = await endpoint.send({ method: "GET", to: "/v2/", action, scopes: [], signal });
  await response.body.drain();
  return response.status;
}
