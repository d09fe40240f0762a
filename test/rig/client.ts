import { Account, type Login } from "../../src/edge/registry/auth/account.ts";
import { Registry, type RegistryOptions } from "../../src/edge/registry/registry.ts";
import { registryRetry } from "../../src/edge/registry/remote.ts";
import type { Event } from "../../src/model/event.ts";
import type { Side } from "../../src/model/failure.ts";
import type { RetryPolicy } from "../../src/std/retry.ts";

/** The product's policy on a clock that runs a thousand times faster; what `Retry-After` asks for is still waited for. */
const hastyRetry: RetryPolicy = { ...registryRetry, baseDelay: 1, maxDelay: 4 };

export interface ClientOptions extends Partial<RegistryOptions> {
  /** Several are mirrors, tried in turn. */
  readonly origins: readonly [string, ...string[]];
  readonly login?: Login | (() => Promise<Login | undefined>);
  readonly ca?: readonly string[];
  readonly insecure?: boolean;
  readonly pathPrefix?: string;
  readonly side?: Side;
}

export interface Client extends AsyncDisposable {
  readonly registry: Registry;
  readonly events: readonly Event[];
}

/** The product's client with nothing ambient: no proxies, no docker config, no waiting. */
export function aClient({
  origins,
  login,
  ca = [],
  insecure = false,
  pathPrefix = "",
  side = "source",
  ...options
}: ClientOptions): Client {
  const events: Event[] = [];
  const ask = typeof login === "function" ? login : () => Promise.resolve(login);
  const endpoints = origins.map((origin) => ({ origin, pathPrefix, ca, insecure, account: new Account(ask) }));
  const registry = new Registry(
    { host: new URL(origins[0]).host, endpoints, side },
    { env: {}, retry: hastyRetry, report: (event) => events.push(event), ...options },
  );
  return { registry, events, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
}
