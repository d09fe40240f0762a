import { connectRegistry, connectTransport } from "../../edge/registry/connect.ts";
import type { Registry } from "../../edge/registry/registry.ts";
import type { Transport } from "../../edge/registry/transport.ts";
import type { Side } from "../../model/failure.ts";
import type { Reference } from "../../model/reference.ts";
import type { Registries } from "../../model/spec.ts";
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
      // One that could not be opened has been told to who asked for it; the others are closed all the same.
      const opened = await Promise.allSettled([...open.values(), ...plain.values()]);
      for (const result of opened) if (result.status === "fulfilled") await closed(result.value);
    },
  };
}

function closed(one: Registry | Transport): Promise<void> {
  return "close" in one ? one.close() : one[Symbol.asyncDispose]();
}
