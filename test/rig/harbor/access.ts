import type { EndpointAccess } from "../../../src/edge/registry/access.ts";
import { Account } from "../../../src/edge/registry/auth/account.ts";
import { Registry } from "../../../src/edge/registry/registry.ts";
import { Harbor as HarborClient } from "../../../src/edge/harbor/client.ts";
import { TargetProbe } from "../../../src/edge/harbor/probe.ts";
import type { Harbor } from "./harbor.ts";
import type { Identity } from "./state.ts";

/** A Harbor, or what stands where one should. */
export type Place = Pick<Harbor, "host" | "origin">;

export interface AccessOptions {
  readonly ca?: readonly string[];
  readonly insecure?: boolean;
  readonly stallSeconds?: number | undefined;
}

/** As `identity`, or as nobody. */
function accessTo(
  origin: string,
  identity?: Identity,
  { ca = [], insecure = false }: AccessOptions = {},
): EndpointAccess {
  const login = identity && { username: identity.name, password: identity.secret };
  return { origin, pathPrefix: "", ca, insecure, account: new Account(() => Promise.resolve(login)) };
}

/** Tries come at once: a test waits for nobody. */
const quick = {
  transient: (error: unknown) => (error as { retryAfter?: number }).retryAfter,
  attempts: 5,
  baseDelay: 5,
  maxDelay: 10,
};

export function registryOf(harbor: Place, identity?: Identity, options?: AccessOptions): Registry {
  const endpoints = [accessTo(harbor.origin, identity, options)];
  return new Registry({ host: harbor.host, endpoints, side: "target" }, { env: {}, retry: quick });
}

export function apiOf(harbor: Place, identity?: Identity, options?: AccessOptions): HarborClient {
  return new HarborClient(accessTo(harbor.origin, identity, options), { host: harbor.host, env: {} });
}

export function probeOf(harbor: Place, identity?: Identity, options?: AccessOptions): TargetProbe {
  return new TargetProbe(accessTo(harbor.origin, identity, options), {
    host: harbor.host,
    env: {},
    stallSeconds: options?.stallSeconds,
  });
}
