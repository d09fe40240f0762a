import { basename, dirname, resolve } from "node:path";
import { httpGet, httpSize, type SizeOf } from "../../edge/charts/http.ts";
import type { Get } from "../../edge/charts/pull.ts";
import { bundleOutput } from "../../edge/disk/bundle-output.ts";
import { hashThreads } from "../../edge/disk/hash-threads.ts";
import { signer } from "../../edge/disk/signature.ts";
import { writeSm3Sums } from "../../edge/disk/sm3-sums.ts";
import { loadReadableSpec, type ReadableSpec } from "../../edge/files/config.ts";
import { readText } from "../../edge/files/read-text.ts";
import { replaceFile } from "../../edge/files/replace.ts";
import { Entry, limits } from "../../model/bundle.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import type { Lock } from "../../model/lock.ts";
import { parsePlatform } from "../../model/platform.ts";
import type { BundleSpec } from "../../model/spec.ts";
import type { BuildInput, BuildOptions, BuildPorts } from "../../pipeline/build-ports.ts";
import { blameReused } from "../../pipeline/locked.ts";
import type { RehearsedSite } from "../../pipeline/rehearsal.ts";
import type { PackResult } from "../../stages/bundle/pack.ts";
import { parseBytes, printBytes } from "../../std/bytes.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { describeFinding } from "../../ui/failure.ts";
import type { Context } from "../context.ts";
import { required, text, texts, truth, wholeNumber, type Flags } from "../define.ts";
import { tool } from "../version.ts";
import { bundleExtras, specFiles, readInventory, readLock, readRequest } from "./build-files.ts";
import { buildPorts } from "./build-ports.ts";
import { openEach, openToJudge, sm3Progress } from "./bundles.ts";
import { readCa, readUserPlugins } from "./install-ports.ts";
import { registryPool } from "./registries.ts";
import { readValues, type OpenedSite } from "./site-session.ts";
import { findTool } from "./tools.ts";

/** A spec, and all that its build asks and reads: what the commands of the connected host begin with. */
export interface BuildSession {
  readonly out: string;
  readonly input: BuildInput;
  readonly ports: BuildPorts;
  readonly options: BuildOptions;
  /** Says what was written, and writes the lock beside it. */
  readonly written: (result: PackResult & { readonly lock: Lock }) => Promise<void>;
}

interface BuildSessionOptions {
  /** Ends the name of a bundle that no `--out` names: another name for another content. */
  readonly kind: string;
  /** Where it will be installed, when that is known here. */
  readonly site: RehearsedSite | undefined;
}

/** Opens what a build needs, has `work` done with it, and closes it. */
export async function withBuild<T>(
  flags: Flags,
  { kind, site }: BuildSessionOptions,
  context: Context,
  work: (session: BuildSession) => Promise<T>,
): Promise<T> {
  const specPath = resolve(context.cwd, required(flags, "spec"));
  const { spec: asked, unreadable } = await loadReadableSpec(specPath);
  const spec = withPlatforms(asked, texts(flags, "platform"));
  const out = resolve(context.cwd, text(flags, "out") ?? `${spec.name}-${spec.version}${kind}.tar`);
  const concurrency = wholeNumber(flags, "concurrency", 1, 64) ?? 8;
  const { signal, reporter } = context;
  const { report } = reporter;
  if (!truth(flags, "dry-run")) await outputOf(out, flags).refuse(() => isOfSpec(out, specPath, context));
  // Threads start while the registries are asked, and are needed when those have answered.
  await using threads = hashThreads(truth(flags, "dry-run") ? 0 : undefined);
  await using pool = registryPool(
    { registries: spec.registries, baseDirectory: dirname(specPath), side: "source", concurrency },
    context,
  );
  const http = { transport: (host: string) => pool.transport(host) };
  const get = httpGet(http);
  const sizeOf = truth(flags, "dry-run") ? httpSize(http) : undefined;
  const input = await inputOf({ spec, unreadable, specPath, get, sizeOf }, flags, context);
  await using reuse = await openEach(texts(flags, "reuse"), context);
  await using ports = await buildPorts(
    {
      spec,
      helm: await helmFor(spec, flags, context),
      output: outputOf(out, flags),
      hashing: threads.started,
      manifests: input.manifests,
      reuse: reuse.bundles,
      site,
    },
    pool,
    context,
  );
  const options = { report, signal, concurrency, allowMissing: truth(flags, "allow-missing") };
  const written: BuildSession["written"] = async ({ lock, isWritten, size }) => {
    await replaceFile(`${out}.lock.json`, canonicalJson(lock));
    const sums = text(flags, "sums") === undefined ? undefined : await writeSums(out, input, context);
    if (isWritten) report({ type: "note", text: "written", facts: { path: out, size: printBytes(size) } });
    else report({ type: "note", text: "finished", facts: { path: out } });
    if (sums !== undefined) report({ type: "note", text: "saved", facts: { path: sums } });
  };
  try {
    return await work({ out, input, ports, options, written });
  } catch (error) {
    throw blameReused(error, reuse.bundles);
  }
}

/** The sums that `--sums` asks for: they are of the last byte, too, so all is read once more. */
async function writeSums(out: string, { sign }: BuildInput, context: Context): Promise<string> {
  const { report } = context.reporter;
  report({ type: "phase", phase: "verify", state: "started" });
  const path = await writeSm3Sums(out, { sign, ...sm3Progress(basename(out), context) });
  report({ type: "phase", phase: "verify", state: "done" });
  return path;
}

interface SpecAt extends ReadableSpec {
  readonly specPath: string;
  readonly get: Get;
  readonly sizeOf: SizeOf | undefined;
}

async function inputOf(
  { spec, unreadable, specPath, get, sizeOf }: SpecAt,
  flags: Flags,
  context: Context,
): Promise<BuildInput> {
  const [key, lock, since, only] = (["sign-key", "lock", "since", "only"] as const).map((name) => text(flags, name));
  return {
    spec,
    unreadable,
    specText: await readText(specPath, limits.smallFile),
    ...(await specFiles(spec, context.env, { get, sizeOf, report: context.reporter.report, signal: context.signal })),
    extras: await bundleExtras(context.env),
    tool,
    epoch: epoch(context.env["SOURCE_DATE_EPOCH"]),
    ...(key === undefined ? {} : await signer(resolve(context.cwd, key))),
    ...(lock === undefined ? {} : { lock: await readLock(lock, context) }),
    ...(since === undefined ? {} : { since: await readInventory(since, context) }),
    ...(only === undefined ? {} : { only: await readRequest(only, context) }),
  };
}

/** A site with its values and plugin manifests read, for a build that tries the install on it. */
export async function rehearsedSite(file: OpenedSite, flags: Flags, context: Context): Promise<RehearsedSite> {
  const { site } = file;
  return {
    site,
    userValues: await readValues(file, flags, context),
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
    volumeSize: volumeSizeOf(text(flags, "volume-size")),
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
  const wrong = platforms.find((platform) => parsePlatform(platform) === undefined);
  if (wrong !== undefined)
    throw new Failure("USAGE", { what: `--platform ${wrong}`, wrong: "form", wanted: "linux/amd64, linux/arm64" });
  return platforms.length === 0 ? spec : { ...spec, platforms: [...platforms] };
}

/** A volume holds at least one block of 4 MiB; smaller ones would be mostly bookkeeping. */
export function volumeSizeOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = parseBytes(value);
  if (bytes === undefined || bytes < 4 * 1024 ** 2)
    throw new Failure("USAGE", {
      what: `--volume-size ${value}`,
      wrong: "allowed",
      wanted: ">= 4MiB (FAT32: 3900MiB)",
    });
  return bytes;
}

/** Bytes per second. */
export function rateOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const rate = parseBytes(value.replace(/\/s$/, ""));
  if (rate === undefined || rate === 0)
    throw new Failure("USAGE", { what: `--rate ${value}`, wrong: "form", wanted: "--rate 10MiB" });
  return rate;
}

/** What a dry run found that will be missing inside. */
export function missingInside({ reporter, language }: Context): readonly string[] {
  const missing = reporter.findings.filter(({ severity }) => severity !== "note");
  return missing.map((found) => describeFinding(found, language).message);
}

function epoch(value: string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  if (!/^\d{1,12}$/.test(value))
    throw new Failure("USAGE", { what: `SOURCE_DATE_EPOCH=${value}`, wrong: "form", wanted: "1767225600" });
  return Number(value);
}
