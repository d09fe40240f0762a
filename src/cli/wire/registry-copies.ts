import type { Fetcher } from "../../content/store.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure } from "../../model/failure.ts";
import { parseReference } from "../../model/reference.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import type { Context } from "../context.ts";
import { registryPool } from "./registries.ts";

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
