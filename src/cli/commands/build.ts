import { dirname, resolve } from "node:path";
import { httpGet } from "../../edge/charts/http.ts";
import type { Get } from "../../edge/charts/pull.ts";
import { bundleOutput } from "../../edge/disk/bundle-output.ts";
import { hashThreads } from "../../edge/disk/hash-threads.ts";
import { signer } from "../../edge/disk/signature.ts";
import { loadBundleSpec } from "../../edge/files/config.ts";
import { readText } from "../../edge/files/read-text.ts";
import { replaceFile } from "../../edge/files/replace.ts";
import { Entry, limits } from "../../model/bundle.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import type { BundleSpec } from "../../model/spec.ts";
import type { BuildInput } from "../../pipeline/build-ports.ts";
import { build, planBuild } from "../../pipeline/build.ts";
import type { RehearsedSite } from "../../pipeline/rehearsal.ts";
import { blameReused } from "../../pipeline/locked.ts";
import { planBundle, type PackInput } from "../../stages/bundle/plan.ts";
import { parseBytes, printBytes } from "../../std/bytes.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { catalogueOf, type Language } from "../../ui/language.ts";
import { sizingLines } from "../../ui/sizing.ts";
import { table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { required, text, texts, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { tool } from "../version.ts";
import { bundleExtras, specFiles } from "../wire/build-files.ts";
import { buildPorts } from "../wire/build-ports.ts";
import { openEach, openToJudge, readInventory, readLock, readRequest } from "../wire/bundles.ts";
import { readCa, readUserPlugins } from "../wire/install-ports.ts";
import { openSite, readValues } from "../wire/site-session.ts";
import { registryPool } from "../wire/registries.ts";
import { findTool } from "../wire/tools.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  refuseContradictions(flags);
  const specPath = resolve(context.cwd, required(flags, "spec"));
  const spec = withPlatforms(await loadBundleSpec(specPath), texts(flags, "platform"));
  const out = resolve(context.cwd, text(flags, "out") ?? defaultName(spec, flags));
  const concurrency = wholeNumber(flags, "concurrency", 1, 64) ?? 8;
  const rate = rateOf(text(flags, "rate"));
  const { reporter, signal } = context;
  const { report } = reporter;
  if (!truth(flags, "dry-run")) await outputOf(out, flags).refuse(() => isOfSpec(out, specPath, context));
  await using pool = registryPool(
    { registries: spec.registries, baseDirectory: dirname(specPath), side: "source", concurrency },
    context,
  );
  const get = httpGet({ transport: (host) => pool.transport(host) });
  const input = await inputOf({ spec, specPath, get }, flags, context);
  await using reuse = await openEach(texts(flags, "reuse"), context);
  await using threads = await hashThreads(truth(flags, "dry-run") ? 0 : undefined);
  await using ports = await buildPorts(
    {
      spec,
      helm: await helmFor(spec, flags, context),
      output: outputOf(out, flags),
      startHash: threads.start,
      manifests: input.manifests,
      reuse: reuse.bundles,
      site: await siteOf(flags, context),
    },
    pool,
    context,
  );
  const options = { report, signal, concurrency, allowMissing: truth(flags, "allow-missing") };
  try {
    if (truth(flags, "dry-run")) {
      context.stdout.write(buildListing(await planBuild(input, ports, options), rate, context.language));
    } else {
      const result = await build(input, ports, options);
      await replaceFile(`${out}.lock.json`, canonicalJson(result.lock));
      if (result.isWritten)
        report({ type: "note", text: "written", facts: { path: out, size: printBytes(result.size) } });
      else report({ type: "note", text: "finished", facts: { path: out } });
    }
  } catch (error) {
    throw blameReused(error, reuse.bundles);
  }
  return hasErrors(reporter.findings) ? ExitCode.findings : ExitCode.done;
}

/** A lock names its platforms, and a bundle can leave out one thing for one reason only. */
function refuseContradictions(flags: Flags): void {
  for (const [one, other] of [
    ["lock", "platform"],
    ["since", "only"],
  ] as const)
    if (texts(flags, one).length > 0 && texts(flags, other).length > 0)
      throw new Failure("USAGE", { what: `--${one} + --${other}` });
}

/** Another name for another content: a delta must not take the place of the bundle that it belongs to. */
function defaultName({ name, version }: BundleSpec, flags: Flags): string {
  const kind = text(flags, "only") !== undefined ? ".patch" : text(flags, "since") !== undefined ? ".delta" : "";
  return `${name}-${version}${kind}.tar`;
}

interface SpecAt {
  readonly spec: BundleSpec;
  readonly specPath: string;
  readonly get: Get;
}

async function inputOf({ spec, specPath, get }: SpecAt, flags: Flags, context: Context): Promise<BuildInput> {
  const [key, lock, since, only] = (["sign-key", "lock", "since", "only"] as const).map((name) => text(flags, name));
  return {
    spec,
    specText: await readText(specPath, limits.smallFile),
    ...(await specFiles(spec, context.env, { get, report: context.reporter.report, signal: context.signal })),
    extras: await bundleExtras(context.env),
    tool,
    epoch: epoch(context.env["SOURCE_DATE_EPOCH"]),
    ...(key === undefined ? {} : await signer(resolve(context.cwd, key))),
    ...(lock === undefined ? {} : { lock: await readLock(lock, context) }),
    ...(since === undefined ? {} : { since: await readInventory(since, context) }),
    ...(only === undefined ? {} : { only: await readRequest(only, context) }),
  };
}

/** The site that a bundle is made for: what its file declares and sets is then known here, too. */
async function siteOf(flags: Flags, context: Context): Promise<RehearsedSite | undefined> {
  if (text(flags, "site") === undefined) return undefined;
  const { site } = await openSite(flags, context);
  return {
    site,
    userValues: await readValues(site),
    userPlugins: await readUserPlugins(site),
    ca: await readCa(site),
  };
}

/** A build that was ended in its last moment has written the bundle: only of the same spec it may be that one. */
async function isOfSpec(path: string, specPath: string, context: Context): Promise<boolean> {
  try {
    await using there = await openToJudge(path, [], context);
    return (await there.readFile(Entry.spec)).toString("utf8") === (await readText(specPath, limits.smallFile));
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

function outputOf(out: string, flags: Flags): ReturnType<typeof bundleOutput> {
  return bundleOutput(out, {
    volumeSize: volumeSize(text(flags, "volume-size")),
    overwrite: truth(flags, "overwrite"),
    ...(truth(flags, "in-order") ? { inOrder: true } : {}),
  });
}

/** A lock says what the charts render to: nothing is rendered again, except to learn a map that the spec does not name. */
async function helmFor(spec: BundleSpec, flags: Flags, context: Context): Promise<string | undefined> {
  const learns = spec.charts.some(({ relocation }) => relocation === undefined);
  if (spec.charts.length === 0 || (text(flags, "lock") !== undefined && !learns)) return undefined;
  return findTool("helm", { named: text(flags, "helm") }, context);
}

function withPlatforms(spec: BundleSpec, platforms: readonly string[]): BundleSpec {
  return platforms.length === 0 ? spec : { ...spec, platforms: [...platforms] };
}

/** A volume holds at least one block of 4 MiB; smaller ones would be mostly bookkeeping. */
function volumeSize(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = parseBytes(value);
  if (bytes === undefined || bytes < 4 * 1024 ** 2)
    throw new Failure("USAGE", { what: `--volume-size ${value}: >= 4MiB` });
  return bytes;
}

/** Bytes per second. */
function rateOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const rate = parseBytes(value.replace(/\/s$/, ""));
  if (rate === undefined || rate === 0) throw new Failure("USAGE", { what: `--rate ${value}: 10MiB` });
  return rate;
}

function epoch(value: string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  if (!/^\d{1,12}$/.test(value)) throw new Failure("USAGE", { what: `SOURCE_DATE_EPOCH=${value}` });
  return Number(value);
}

/** What a build would write: every item, and how long the file would be, to the byte. */
function buildListing(input: PackInput, rate: number | undefined, language: Language): string {
  const { words } = catalogueOf(language);
  const { lock, blobs } = input;
  const rows = lock.items.map((item) => [
    item.kind,
    item.reference,
    printBytes(item.bytes),
    item.platforms.join(" "),
    item.root.digest.slice(0, 19),
  ]);
  const plan = planBundle(input);
  const carried = blobs.length - (plan.document.delta?.absent.length ?? 0);
  const head = [
    `${words.bundle}: ${lock.name} ${lock.version}`,
    `${words.size}: ${printBytes(plan.size)} (${plan.size} B), ${lock.items.length} ${words.items}, ${carried} ${words.blobs}`,
    ...sizingLines(plan.size, rate, language),
  ];
  return `${head.join("\n")}\n\n${table([words.kind, words.reference, words.size, words.platforms, words.digest], rows)}`;
}
