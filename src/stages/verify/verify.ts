import type { Extent } from "../../content/store.ts";
import { blobPrefix, Entry, type BundleDocument } from "../../model/bundle.ts";
import type { Digest } from "../../model/digest.ts";
import { silent, type Report } from "../../model/event.ts";
import { isFailure } from "../../model/failure.ts";
import { finding, hasErrors, type Finding } from "../../model/finding.ts";
import { parsePlatform } from "../../model/platform.ts";
import { abridged } from "../../std/abridged.ts";
import { readContents, type Contents } from "./contents.ts";
import type { VerifiedBundle, VerifyPorts, Block } from "./ports.ts";

interface VerifyOptions {
  /** Reads the small files and the manifests, and believes the rest. */
  readonly quick?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: Report | undefined;
}

export interface VerifyResult {
  readonly findings: readonly Finding[];
  /** What was hashed. */
  readonly checked: { readonly entries: number; readonly bytes: number; readonly algorithm: "sha256" };
  /** Entry names of what is not as it should be: what `repair` is for. */
  readonly damaged: readonly string[];
}

/**
 * Holds a bundle that is open (its headers were checked by opening) against its own sums, and its items against what
 * they need. All findings, never the first only.
 */
export async function verifyBundle(
  bundle: VerifiedBundle,
  ports: VerifyPorts,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const { quick = false, signal, report = silent } = options;
  const small = Object.keys(bundle.document.integrity).filter((name) => bundle.entries.has(name));
  const damagedFiles = await checkFiles(bundle, small);
  const contents = await readContents(bundle, signal);
  const large = quick ? [] : entriesOf(bundle, new Set(small));
  const damaged = [...damagedFiles, ...(await checkSums(bundle, large, { ports, report }))];
  const found = [...damageFindings(bundle, damaged, contents), ...(await locate(damaged, contents, ports))];
  const findings = [...found, ...withoutDamaged(contents, damaged), ...checkPlatforms(bundle.document, contents)];
  signal?.throwIfAborted();
  const checked = [...small, ...large.map(({ name }) => name)];
  const bytes = checked.reduce((sum, name) => sum + (bundle.entries.get(name)?.size ?? 0), 0);
  return {
    findings,
    checked: { entries: checked.length, bytes, algorithm: "sha256" },
    damaged: damaged.map(({ name }) => name),
  };
}

interface Summed {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly wanted: string;
}

/** What SHA256SUMS covers, but for what was read already. */
function entriesOf({ entries, sums }: VerifiedBundle, read: ReadonlySet<string>): readonly Summed[] {
  return [...sums].flatMap(([name, wanted]) => {
    const place = entries.get(name);
    return place === undefined || read.has(name) ? [] : [{ name, wanted, offset: place.offset, size: place.size }];
  });
}

async function checkFiles(bundle: VerifiedBundle, names: readonly string[]): Promise<readonly Damaged[]> {
  const damaged: Damaged[] = [];
  for (const name of names) {
    const place = bundle.entries.get(name) ?? { offset: 0, size: 0 };
    try {
      await bundle.readFile(name);
    } catch (error) {
      if (isFailure(error, "CONTENT_MISMATCH"))
        damaged.push({ ...place, name, wanted: error.facts.wanted, got: error.facts.got });
      else if (isFailure(error, "FILE_UNREADABLE"))
        damaged.push({ ...place, name, wanted: bundle.sums.get(name) ?? "", got: error.facts.reason });
      else throw error;
    }
  }
  return damaged;
}

async function checkSums(
  { document: { name, version } }: VerifiedBundle,
  entries: readonly Summed[],
  { ports, report }: { readonly ports: VerifyPorts; readonly report: Report },
): Promise<readonly Damaged[]> {
  if (entries.length === 0) return [];
  const size = entries.reduce((sum, entry) => sum + entry.size, 0);
  report({ type: "transfer", phase: "verify", items: entries.length, bytes: size });
  const hashes = await ports.hashRanges(entries, (bytes) =>
    report({ type: "moved", phase: "verify", name: `${name} ${version}`, bytes, size }),
  );
  return entries.flatMap((entry, index) => {
    const got = hashes[index] ?? "unreadable";
    return got === entry.wanted ? [] : [{ ...entry, got }];
  });
}

/** A damaged manifest is said once, as damage; that it cannot be parsed either is no second finding. */
function withoutDamaged({ findings }: Contents, damaged: readonly Damaged[]): readonly Finding[] {
  const digests = new Set(damaged.map(({ name }) => name.replace(blobPrefix, "sha256:")));
  return findings.filter(
    ({ code, facts }) => code !== "bundle.manifest-unusable" || !("digest" in facts) || !digests.has(facts.digest),
  );
}

/** An entry that is not what SHA256SUMS says. */
interface Damaged extends Extent {
  readonly name: string;
  readonly wanted: string;
  /** Its sha256, or the code of the error that reading it gave. */
  readonly got: string;
}

function damageFindings(
  bundle: VerifiedBundle,
  damaged: readonly Damaged[],
  { namesOf }: Contents,
): readonly Finding[] {
  return damaged.map(({ name, wanted, got, offset, size }) => {
    if (!name.startsWith(blobPrefix)) return finding("error", "bundle.file-damaged", { file: name, wanted, got });
    const digest = `sha256:${wanted}` as Digest;
    const items = namesOf([digest]);
    const [first, last] = [bundle.source.partAt(offset), bundle.source.partAt(offset + Math.max(0, size - 1))];
    const volume = first === last ? first : `${first} – ${last}`;
    return finding("error", "bundle.blob-damaged", { digest, got, items, volume });
  });
}

/**
 * Says where in which volume, from the blocks' own sums: only those that a damaged entry lies in are read again.
 * Blocks that follow each other are one finding.
 */
async function locate(
  damaged: readonly Damaged[],
  { namesOf }: Contents,
  ports: VerifyPorts,
): Promise<readonly Finding[]> {
  const suspects = (ports.blocks ?? []).filter((block) => damaged.some((each) => overlap(block, each)));
  if (suspects.length === 0) return [];
  const hashes = await ports.hashRanges(suspects, () => undefined);
  const bad = suspects.filter((block, index) => hashes[index] !== block.sha256);
  return runs(bad).map(([first, last]) => {
    const range = { offset: first.offset, size: last.offset + last.size - first.offset };
    const hit = damaged.filter((each) => overlap(range, each));
    const items = namesOf(hit.map(({ wanted }) => `sha256:${wanted}` as Digest));
    return finding("error", "bundle.volume-damaged", {
      volume: first.volume,
      from: first.at,
      to: last.at + last.size,
      items,
    });
  });
}

function runs(blocks: readonly Block[]): readonly (readonly [Block, Block])[] {
  const found: [Block, Block][] = [];
  for (const block of blocks) {
    const run = found.at(-1);
    if (run?.[1].volume === block.volume && run[1].at + run[1].size === block.at) run[1] = block;
    else found.push([block, block]);
  }
  return found;
}

function overlap(a: Extent, b: Extent): boolean {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

/**
 * Every index must still have the platforms that bundle.json promises of its item. One finding an item: ten thousand
 * items with sixty platforms each, none of which is there, are a bundle of thirty MiB.
 */
function checkPlatforms({ items }: BundleDocument, { platforms }: Contents): readonly Finding[] {
  return items.flatMap(({ kind, reference, root, platforms: promised }) => {
    const index = platforms.get(root.digest);
    if (kind !== "image" || index === undefined) return [];
    const missing = promised.filter((text) => {
      const wanted = parsePlatform(text);
      return wanted === undefined || !index.has(wanted);
    });
    if (missing.length === 0) return [];
    const facts = { item: reference, platform: abridged(missing), has: index.names };
    return [finding("error", "bundle.platform-missing", facts)];
  });
}

interface VerificationFacts {
  /** When it was checked, as the host's clock has it. */
  readonly at: Date | string;
  readonly tool: { readonly name: string; readonly version: string };
  /** The public key that fits the signature, when one was asked for. */
  readonly signed?: string | undefined;
  /** What was held against SM3 sums beside the bundle, where there are any. */
  readonly sm3?:
    | { readonly file: string; readonly files: ReadonlyMap<string, string>; readonly signed?: string | undefined }
    | undefined;
}

/** What an auditor wants on file: what was checked, how, by what, and what came of it. For `--report`. */
export function evidence(bundle: VerifiedBundle, result: VerifyResult, { at, tool, signed, sm3 }: VerificationFacts) {
  const { document, entries, id, source } = bundle;
  return {
    reportVersion: 1,
    verdict: hasErrors(result.findings) ? "damaged" : "sound",
    checkedAt: typeof at === "string" ? at : at.toISOString(),
    tool: { ...tool },
    bundle: {
      path: source.name,
      size: source.size,
      sha256OfBundleJson: id,
      name: document.name,
      version: document.version,
      created: document.created,
      builtBy: { ...document.tool },
      platforms: [...document.platforms],
      signature: { present: entries.has(Entry.signature), ...(signed === undefined ? {} : { verifiedWith: signed }) },
      ...(document.delta === undefined
        ? {}
        : { delta: { base: document.delta.base, absentBlobs: document.delta.absent.length } }),
    },
    checked: result.checked,
    ...(sm3 === undefined
      ? {}
      : {
          sm3: {
            file: sm3.file,
            files: Object.fromEntries(sm3.files),
            ...(sm3.signed === undefined ? {} : { verifiedWith: sm3.signed }),
          },
        }),
    items: document.items.map(({ kind, reference, root, bytes, platforms }) => ({
      kind,
      reference,
      digest: root.digest,
      bytes,
      platforms: [...platforms],
    })),
    blobs: [...entries.keys()].filter((name) => name.startsWith(blobPrefix)).length,
    findings: result.findings.map(({ code, severity, facts }) => ({ code, severity, facts: { ...facts } })),
  };
}
