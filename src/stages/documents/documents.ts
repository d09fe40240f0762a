import * as z from "zod";
import type { Bundle } from "../../content/open-bundle.ts";
import { Entry, layoutIndex, layoutVersion } from "../../model/bundle.ts";
import type { Digest } from "../../model/digest.ts";
import { isFailure } from "../../model/failure.ts";
import { finding, wholeDocument, type Finding } from "../../model/finding.ts";
import { Lock } from "../../model/lock.ts";
import { ReleaseDocument, releaseEntry } from "../../model/release.ts";
import { differences, malformed, readJson, type Wrong } from "./read.ts";

/** What is asked of a bundle that is open. */
type DocumentedBundle = Pick<Bundle, "source" | "document" | "entries" | "sums" | "readFile">;

/** Readers of what is no JSON. They throw a Failure that says where and why. */
export interface DocumentReaders {
  readChart(archive: Uint8Array, name: string): Promise<{ readonly name: string; readonly version: string }>;
  parseRelocation(text: string, file: string): unknown;
}

interface WrongDocument {
  readonly document: string;
  readonly wrong: readonly Wrong[];
}

/**
 * What every command holds a bundle against before it believes a word of it: the documents that say what it is, against
 * each other.
 * @throws Failure BUNDLE_MALFORMED for the first of them
 */
export async function refuseWrongDocuments(bundle: DocumentedBundle): Promise<void> {
  for (const { document, wrong } of await jsonDocuments(bundle, new Set()))
    if (wrong.length > 0) throw malformed(bundle, document, wrong);
}

/**
 * Opens every document of a bundle and says all that is wrong: the OCI layout and the lock against bundle.json, the
 * release against charts, maps and items, and whether the rest can be read at all. `skip` are entries whose bytes are
 * damaged; that was said already.
 */
export async function wrongDocuments(
  bundle: DocumentedBundle,
  readers: DocumentReaders,
  skip: ReadonlySet<string> = new Set(),
): Promise<readonly Finding[]> {
  const found = [...(await jsonDocuments(bundle, skip)), ...(await otherDocuments(bundle, readers, skip))];
  return found.flatMap(({ document, wrong }) =>
    wrong.map(({ where, why }) =>
      finding("error", "bundle.document-wrong", { document, where, why: why.slice(0, 300) }),
    ),
  );
}

type Check = (bytes: Uint8Array, bundle: DocumentedBundle) => readonly Wrong[];

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  [Entry.layout, (bytes) => same(bytes, layoutVersion)],
  [Entry.index, (bytes, { document }) => same(bytes, layoutIndex(document.items))],
  [
    releaseEntry,
    (bytes, bundle) => {
      const read = readJson(bytes, ReleaseDocument);
      return read.wrong ?? checkRelease(read.value, bundle);
    },
  ],
  // After the release: what is wrong there shows here only as another sum.
  [Entry.lock, checkLock],
]);

async function jsonDocuments(bundle: DocumentedBundle, skip: ReadonlySet<string>): Promise<readonly WrongDocument[]> {
  const found: WrongDocument[] = [];
  for (const [document, check] of checks)
    if (bundle.entries.has(document) && !skip.has(document))
      found.push({ document, wrong: check(await bundle.readFile(document), bundle) });
  return found;
}

function same(bytes: Uint8Array, wanted: unknown): readonly Wrong[] {
  const read = readJson(bytes, z.unknown());
  return read.wrong ?? differences(wanted, read.value);
}

/** What bundle.json says of the bundle the lock says too, and its files are those that are there. */
function checkLock(bytes: Uint8Array, { document, entries, sums }: DocumentedBundle): readonly Wrong[] {
  const read = readJson(bytes, Lock);
  if (read.wrong !== undefined) return read.wrong;
  const { lockVersion, files, ...said } = read.value;
  const { name, version, platforms, kubeVersion, created, items } = document;
  const own = new Set<string>([...Object.values(leading), Entry.lock]);
  const carried = [...entries.keys()].filter((entry) => !own.has(entry) && !entry.startsWith("blobs/")).sort();
  const there = carried.map((entry) => ({ name: entry, size: entries.get(entry)?.size, sha256: sums.get(entry) }));
  return [
    ...differences({ name, version, platforms, kubeVersion, created, items }, said),
    ...differences({ files: there, lockVersion }, { files, lockVersion }),
  ];
}

const leading = {
  layout: Entry.layout,
  bundle: Entry.bundle,
  index: Entry.index,
  sums: Entry.sums,
  signature: Entry.signature,
} as const;

async function otherDocuments(
  bundle: DocumentedBundle,
  readers: DocumentReaders,
  skip: ReadonlySet<string>,
): Promise<readonly WrongDocument[]> {
  const found: WrongDocument[] = [];
  for (const document of bundle.entries.keys()) {
    if (skip.has(document)) continue;
    const check = readerOf(document, readers);
    if (check !== undefined) found.push({ document, wrong: await check(await bundle.readFile(document)) });
  }
  return found;
}

function readerOf(
  entry: string,
  readers: DocumentReaders,
): ((bytes: Uint8Array) => Promise<readonly Wrong[]>) | undefined {
  if (entry.startsWith("charts/")) return (bytes) => checkChart(entry, bytes, readers);
  if (entry.startsWith("manifests/relocation/")) return (bytes) => checkMap(entry, bytes, readers);
  const isYaml = /^(?:crds|manifests)\//.test(entry) && !checks.has(entry);
  return isYaml ? checkYaml : undefined;
}

async function checkChart(entry: string, bytes: Uint8Array, readers: DocumentReaders): Promise<readonly Wrong[]> {
  try {
    const { name, version } = await readers.readChart(bytes, entry);
    const wanted = `charts/${name}-${version}.tgz`;
    return wanted === entry ? [] : [{ where: "Chart.yaml", why: `expected ${wanted}` }];
  } catch (error) {
    if (!isFailure(error, "CHART_UNUSABLE")) throw error;
    return [{ where: wholeDocument, why: error.facts.why }];
  }
}

async function checkMap(entry: string, bytes: Uint8Array, readers: DocumentReaders): Promise<readonly Wrong[]> {
  const text = textOf(bytes);
  if (text === undefined) return notText;
  try {
    await readers.parseRelocation(text, entry);
    return [];
  } catch (error) {
    if (!isFailure(error, "CONFIG_INVALID")) throw error;
    return error.facts.problems.split("\n").map((line) => {
      const [, where = wholeDocument, why = line] = /^\S+?:(\d+:\d+ (?:\S+(?= - ))?)(?: - | ?)(.*)$/.exec(line) ?? [];
      return { where: where.trim(), why };
    });
  }
}

async function checkYaml(bytes: Uint8Array): Promise<readonly Wrong[]> {
  const text = textOf(bytes);
  if (text === undefined) return notText;
  const { loadStrings, YamlError } = await import("../../std/yaml.ts");
  try {
    loadStrings(text);
    return [];
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return [{ where: `${error.line}:${error.column}`, why: error.message }];
  }
}

const notText: readonly Wrong[] = [{ where: wholeDocument, why: "expected UTF-8" }];

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether all that a release names is in the bundle, under the name that it is known by there. */
function checkRelease(release: ReleaseDocument, bundle: DocumentedBundle): readonly Wrong[] {
  const { charts, crds, manifests, mcpServer } = release;
  const releases = new Set<string>();
  return [
    ...charts.flatMap((chart, at) => {
      const twice = releases.has(chart.release);
      releases.add(chart.release);
      return [
        ...(twice ? [{ where: `charts.${at}.release`, why: "twice" }] : []),
        ...wrongWithChart(chart, bundle).map(({ where, why }) => ({ where: `charts.${at}.${where}`, why })),
      ];
    }),
    ...missing(crds, "crds", bundle),
    ...missing(manifests, "manifests", bundle),
    ...(mcpServer === undefined || hasItem(bundle, "plugin", mcpServer)
      ? []
      : [{ where: "mcpServer", why: "not in bundle.json" }]),
  ];
}

type Chart = ReleaseDocument["charts"][number];

function wrongWithChart({ name, version, file, relocation }: Chart, bundle: DocumentedBundle): readonly Wrong[] {
  const wanted = `charts/${name}-${version}.tgz`;
  const archive = `sha256:${bundle.sums.get(file) ?? ""}` as Digest;
  const wrong: Wrong[] = [];
  if (file !== wanted) wrong.push({ where: "file", why: `expected ${wanted}` });
  else if (!bundle.entries.has(file)) wrong.push({ where: "file", why: "no such entry" });
  // Of the archive there is a second copy, as the layer of the item: what is installed must be what is pushed.
  else if (!bundle.document.blobs.some(({ digest }) => digest === archive))
    wrong.push({ where: "file", why: "not in bundle.json" });
  if (!bundle.entries.has(relocation)) wrong.push({ where: "relocation", why: "no such entry" });
  if (!hasItem(bundle, "chart", name, version)) wrong.push({ where: "name", why: "not in bundle.json" });
  return wrong;
}

function hasItem({ document }: DocumentedBundle, kind: "chart" | "plugin", name: string, version?: string): boolean {
  return document.items.some(
    (item) => item.kind === kind && item.name === name && (version === undefined || item.version === version),
  );
}

function missing(names: readonly string[], list: string, { entries }: DocumentedBundle): readonly Wrong[] {
  return names.flatMap((name, at) => (entries.has(name) ? [] : [{ where: `${list}.${at}`, why: "no such entry" }]));
}
