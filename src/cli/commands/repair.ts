import { reportFindings } from "../../model/event.ts";
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { bundleOutput } from "../../edge/disk/bundle-output.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import type { Fetcher } from "../../content/store.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { parseReference } from "../../model/reference.ts";
import { repair } from "../../stages/repair/repair.ts";
import { requestFor } from "../../stages/repair/request.ts";
import { printBytes } from "../../std/bytes.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import type { Context } from "../context.ts";
import { required, text, texts, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openToJudge, openEach, checkSignature, verifyWhole } from "../wire/bundles.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { registryPool, type RegistryPool } from "../wire/registries.ts";

/** A good bundle out of a damaged one and other sources, or a list of what to bring. The damaged one is only read. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const [out, request] = [text(flags, "out"), text(flags, "request")];
  if ((out === undefined) === (request === undefined))
    throw new Failure("USAGE", { what: "repair", wrong: "either", wanted: "--out, --request" });
  await using bundle = await openToJudge(required(flags, "bundle"), [], context);
  await checkSignature(bundle, texts(flags, "key"), context);
  if (out !== undefined) {
    const overwrite = truth(flags, "overwrite");
    const path = resolve(context.cwd, out);
    if (!overwrite && (await isGood(path, bundle, context))) {
      context.reporter.report({ type: "note", text: "finished", facts: { path } });
      return ExitCode.done;
    }
    await bundleOutput(path, { overwrite }).refuse(() => Promise.resolve(false));
  }
  const damaged = await damagedIn(bundle, context);
  if (damaged.size === 0) {
    context.reporter.report({ type: "note", text: "nothing-to-do", facts: {} });
    return ExitCode.done;
  }
  if (request !== undefined) {
    await writeRequest(bundle, damaged, resolve(context.cwd, request), context);
    return ExitCode.findings;
  }
  await writeGood(bundle, damaged, flags, context);
  return ExitCode.done;
}

async function damagedIn(bundle: Bundle, context: Context): Promise<ReadonlySet<string>> {
  const { report } = context.reporter;
  report({ type: "phase", phase: "verify", state: "started" });
  const { damaged, findings } = await verifyWhole(bundle, { quick: false }, context);
  reportFindings(findings, report);
  report({ type: "phase", phase: "verify", state: "done", detail: String(damaged.length) });
  return new Set(damaged);
}

/** Whether the very bundle stands there whole: a run that was killed before it could say so had ended its work. */
async function isGood(out: string, bundle: Bundle, context: Context): Promise<boolean> {
  if ((await stat(out).catch(() => undefined))?.size !== bundle.source.size) return false;
  try {
    await using there = await openToJudge(out, [], context);
    return there.id === bundle.id && (await verifyWhole(there, { quick: false }, context)).findings.length === 0;
  } catch (error) {
    if (isFailure(error, "BUNDLE_MALFORMED")) return false;
    throw error;
  }
}

async function writeRequest(bundle: Bundle, damaged: ReadonlySet<string>, path: string, context: Context) {
  const content = canonicalJson(requestFor(bundle, damaged));
  await writeNewFiles(dirname(path), [{ name: basename(path), text: content }], { overwrite: true, context });
}

async function writeGood(bundle: Bundle, damaged: ReadonlySet<string>, flags: Flags, context: Context) {
  const { signal, reporter } = context;
  const from = texts(flags, "from");
  const out = resolve(context.cwd, required(flags, "out"));
  await using copies = await openEach(
    from.filter((name) => !isRegistryUrl(name)),
    context,
  );
  await using registries = registryCopies(from.filter(isRegistryUrl), bundle, context);
  const { size } = await repair(
    { bundle, damaged, copies: copies.bundles, fetchers: registries.fetchers },
    bundleOutput(out, { overwrite: truth(flags, "overwrite") }),
    { signal, report: reporter.report },
  );
  reporter.report({ type: "note", text: "written", facts: { path: out, size: printBytes(size) } });
}

interface RegistryCopies extends AsyncDisposable {
  readonly fetchers: readonly Fetcher[];
}

function isRegistryUrl(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

/**
 * Registries that hold a bundle's items below a URL, under their original paths: `https://harbor.corp/higress` after a
 * push with the default mapping, a mirror, or where the items came from.
 */
function registryCopies(urls: readonly string[], bundle: Bundle, context: Context): RegistryCopies {
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

type Repository = Awaited<ReturnType<RegistryPool["repository"]>>;

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
