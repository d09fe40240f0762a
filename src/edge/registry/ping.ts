import { parseChallenges, type Challenge } from "./auth/challenge.ts";
import type { Endpoint } from "./endpoint.ts";
import type { WireResponse } from "./transport.ts";

/** What `GET /v2/` tells before anything is asked of a registry. */
export interface Ping {
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
export async function ping(endpoint: Endpoint, signal?: AbortSignal): Promise<Ping> {
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
