import { connectRegistry } from "../../edge/registry/connect.ts";
import type { Registry } from "../../edge/registry/registry.ts";
import type { Side } from "../../model/failure.ts";
import type { Reference } from "../../model/reference.ts";
import type { Registries } from "../../model/spec.ts";
import type { Context } from "../context.ts";

export interface RegistryPool extends AsyncDisposable {
  repository(reference: Pick<Reference, "registry" | "repository">): Promise<ReturnType<Registry["repository"]>>;
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
  const connect = (host: string): Promise<Registry> =>
    connectRegistry(host, {
      registries: options.registries,
      baseDirectory: options.baseDirectory,
      env: context.env,
      side: options.side,
      report: context.reporter.report,
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    });
  return {
    async repository({ registry, repository }) {
      const known = open.get(registry) ?? connect(registry);
      open.set(registry, known);
      return (await known).repository(repository);
    },
    async [Symbol.asyncDispose]() {
      for (const registry of open.values()) await (await registry)[Symbol.asyncDispose]();
    },
  };
}
