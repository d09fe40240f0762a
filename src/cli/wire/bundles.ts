import { basename, resolve } from "node:path";
import type { Bundle } from "../../content/open-bundle.ts";
import { DiskSource, withoutVolumeNumber } from "../../edge/disk/disk-source.ts";
import { hashRanges } from "../../edge/disk/hash-ranges.ts";
import { openSource } from "../../edge/disk/open-source.ts";
import { fittingKey } from "../../edge/disk/signature.ts";
import { checkSm3Sums, readSm3Sums, type Sm3Result } from "../../edge/disk/sm3-sums.ts";
import { volumesPathOf } from "../../edge/disk/volumes-document.ts";
import { stopAt } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { Site } from "../../model/site.ts";
import { openUnion } from "../../stages/bundle/delta.ts";
import { openBundle } from "../../stages/bundle/open.ts";
import { refuseWrongDocuments, wrongDocuments, type DocumentReaders } from "../../stages/documents/documents.ts";
import { verifyBundle, type VerifyResult } from "../../stages/verify/verify.ts";
import type { Context } from "../context.ts";
import { texts, type Flags } from "../define.ts";

/** Opens a bundle, and with it the bases that a delta rests on. @throws Failure BUNDLE_MALFORMED */
export async function openBundles(path: string, bases: readonly string[], context: Context): Promise<Bundle> {
  const bundle = await openToJudge(path, bases, context);
  try {
    await refuseWrongDocuments(bundle);
    return bundle;
  } catch (error) {
    await bundle[Symbol.asyncDispose]();
    throw error;
  }
}

/** As `openBundles`, for those who say what is wrong in its documents, or mend what is damaged of them. */
export async function openToJudge(path: string, bases: readonly string[], context: Context): Promise<Bundle> {
  const open = (name: string): Promise<Bundle> => openOne(resolve(context.cwd, name), context.signal);
  const bundle = await open(path);
  if (bundle.document.delta === undefined || bases.length === 0) return bundle;
  const opened: Bundle[] = [];
  try {
    for (const base of bases) opened.push(await open(base));
  } catch (error) {
    for (const each of [bundle, ...opened]) await each[Symbol.asyncDispose]();
    throw error;
  }
  return openUnion(opened, bundle);
}

/** @throws Failure VOLUME_UNUSABLE when the volumes' document is of another bundle */
async function openOne(path: string, signal: AbortSignal): Promise<Bundle> {
  const source = await openSource(path);
  const opened = await openBundle(source, { signal });
  if (source.bundle === undefined || source.bundle === opened.id) return opened;
  await opened[Symbol.asyncDispose]();
  const why = `bundle: expected ${opened.id}, not ${source.bundle}`;
  throw new Failure("VOLUME_UNUSABLE", { volume: basename(volumesPathOf(withoutVolumeNumber(source.name))), why });
}

export interface OpenBundles extends AsyncDisposable {
  readonly bundles: readonly Bundle[];
}

/** Several bundles that nothing but their user holds together: earlier ones, and copies. */
export async function openEach(paths: readonly string[], context: Context): Promise<OpenBundles> {
  const bundles: Bundle[] = [];
  const close = async (): Promise<void> => {
    for (const bundle of bundles) await bundle[Symbol.asyncDispose]();
  };
  try {
    for (const path of paths) bundles.push(await openToJudge(path, [], context));
  } catch (error) {
    await close();
    throw error;
  }
  return { bundles, [Symbol.asyncDispose]: close };
}

/** Of the command line and of the site file. */
export function trustedKeys(flags: Flags, site: Site | undefined): readonly string[] {
  return [...texts(flags, "key"), ...(site?.trustKeys ?? [])];
}

/**
 * Once a key is configured, nothing of a bundle is used before its signature fits and every byte is what was signed:
 * a command that reads only a part would otherwise accept a bundle that somebody changed elsewhere.
 * @returns the key that fits, or `undefined` when no key was asked for
 * @throws Failure as `checkSignature`, FINDINGS once what is damaged has been reported
 */
export async function checkTrust(
  bundle: Bundle,
  keys: readonly string[],
  context: Context,
): Promise<string | undefined> {
  const signed = await checkSignature(bundle, keys, context);
  if (signed === undefined) return undefined;
  const { findings } = await verifyWhole(bundle, { quick: false }, context);
  stopAt(findings, context.reporter.report);
  return signed;
}

/**
 * Once a key is configured, a bundle must be signed by it.
 * @returns the key that fits, or `undefined` when no key was asked for
 * @throws Failure BUNDLE_UNSIGNED, SIGNATURE_WRONG, KEY_UNUSABLE
 */
export async function checkSignature(
  bundle: Bundle,
  keys: readonly string[],
  context: Context,
): Promise<string | undefined> {
  if (keys.length === 0) return undefined;
  const { sums, signature } = await bundle.signature();
  if (signature === undefined) throw new Failure("BUNDLE_UNSIGNED", { path: bundle.source.name });
  return signingKey({ path: bundle.source.name, sums, signature }, keys, context);
}

interface Signed {
  readonly path: string;
  readonly sums: Uint8Array;
  readonly signature: Uint8Array;
}

async function signingKey({ path, sums, signature }: Signed, keys: readonly string[], { cwd }: Context) {
  const paths = keys.map((key) => resolve(cwd, key));
  const fits = await fittingKey(sums, signature, paths);
  if (fits === undefined) throw new Failure("SIGNATURE_WRONG", { path, key: keys.join(", ") });
  return fits;
}

interface Sm3Check extends Sm3Result {
  readonly file: string;
  readonly signed: string | undefined;
}

/**
 * Holds the files of a bundle against the SM3 sums beside it, and these against their signature once a key is configured.
 * @returns `undefined` when there are none, unless they `mustBe` there
 * @throws Failure SIGNATURE_WRONG
 */
export async function verifySm3(
  bundlePath: string,
  { keys, mustBe }: { readonly keys: readonly string[]; readonly mustBe: boolean },
  context: Context,
): Promise<Sm3Check | undefined> {
  const { path, bytes, signature } = await readSm3Sums(bundlePath);
  const file = basename(path);
  const lacking = (name: string): Sm3Check => {
    const findings = [finding("error", "bundle.sm3-sums-unusable", { file: name, why: "ENOENT" })];
    return { file, signed: undefined, files: new Map(), findings };
  };
  if (bytes === undefined) return mustBe ? lacking(file) : undefined;
  if (keys.length > 0 && signature === undefined) return lacking(`${file}.sig`);
  const signed =
    signature && keys.length > 0 ? await signingKey({ path, sums: bytes, signature }, keys, context) : undefined;
  return { file, signed, ...(await checkSm3Sums(bundlePath, { file, bytes }, sm3Progress(file, context))) };
}

/** Tells how far the reading of all files of a bundle is. */
export function sm3Progress(name: string, { reporter: { report }, signal }: Context) {
  let size = 0;
  return {
    signal,
    onStart: (items: number, bytes: number): void => {
      size = bytes;
      report({ type: "transfer", phase: "verify", items, bytes });
    },
    onBytes: (bytes: number): void => report({ type: "moved", phase: "verify", name, bytes, size }),
  };
}

/** Hashes a bundle on all cores; the blocks of volumes tell where in a volume the damage is. */
export async function verifyWhole(
  bundle: Bundle,
  options: { readonly quick: boolean },
  { signal, reporter }: Context,
): Promise<VerifyResult> {
  const { source } = bundle;
  const verified = await verifyBundle(
    bundle,
    {
      hashRanges: (ranges, onBytes) => hashRanges(source, ranges, { onBytes, signal }),
      ...(source instanceof DiskSource ? { blocks: source.blocks } : {}),
    },
    { quick: options.quick, signal, report: reporter.report },
  );
  const documents = await documentFindings(bundle, new Set(verified.damaged));
  return { ...verified, findings: [...verified.findings, ...documents] };
}

/** What is wrong in the documents of a bundle; `damaged` are those whose bytes are. */
export function documentFindings(
  bundle: Bundle,
  damaged: ReadonlySet<string> = new Set(),
): Promise<readonly Finding[]> {
  return wrongDocuments(bundle, readers, damaged);
}

/** Read where there is such a document: archives and YAML are a fifth of what opening a bundle would load. */
const readers: DocumentReaders = {
  readChart: async (archive, name) => (await import("../../edge/charts/read.ts")).readChart(archive, name),
  parseRelocation: async (text, file) => (await import("../../edge/files/config.ts")).parseRelocationMap(text, file),
};
