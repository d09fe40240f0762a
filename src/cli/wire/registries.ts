import type { Fetcher } from "../../content/store.ts";
import { connectRegistry, connectTransport } from "../../edge/registry/connect.ts";
import type { Registry } from "../../edge/registry/registry.ts";
import type { Transport } from "../../edge/registry/transport.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure, type Side } from "../../model/failure.ts";
import { parseReference, type Reference } from "../../model/reference.ts";
import type { Registries } from "../../model/spec.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
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

export interface RegistryCopies extends AsyncDisposable {
  readonly fetchers: readonly Fetcher[];
}

export function isRegistryUrl(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

/**
 * Registries that hold a bundle's items below a URL, under their original paths: `https://harbor.corp/higress` after a
 * push with the default mapping, a mirror, or where the items came from.
 */
export function registryCopies(urls: readonly string[], bundle: Bundle, context: Context): RegistryCopies {
  const repositories = [...new Set(bundle.document.items.map(({ reference }) => parseReference(reference).repository))];
  const pools = urls.map((url) => {
    const registry = new URL(url).host;
    const registries = { [registry]: { endpoints: [{ url, insecure: false }] } };
    return { registry, pool: registryPool({ registries, baseDirectory: context.cwd, side: "source" }, context) };
  });
  const fetchers = pools.map(({ registry, pool }): Fetcher => ({
    async *fetch(descriptor, options) {
      const holder = await holderOf(descriptor, repositories, (repository) =>
        pool.repository({ registry, repository }),
      );
      if (holder === undefined)
        throw new Failure("CONTENT_MISSING", { what: descriptor.digest, where: registry }, { side: "source" });
      yield* holder.fetch(descriptor, options);
    },
  }));
  return {
    fetchers,
    async [Symbol.asyncDispose]() {
      for (const { pool } of pools) await pool[Symbol.asyncDispose]();
    },
  };
}

type Repository = Awaited<ReturnType<ReturnType<typeof registryPool>["repository"]>>;

/** Which item a damaged blob belongs to may stand in a damaged manifest: every repository is asked, by HEAD. */
async function holderOf(
  descriptor: Descriptor,
  names: readonly string[],
  open: (name: string) => Promise<Repository>,
): Promise<Repository | undefined> {
  for (const name of names) {
    const repository = await open(name);
    if (await repository.has(descriptor)) return repository;
  }
  return undefined;
}
