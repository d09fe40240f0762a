import { Parser, type ReadEntry } from "tar";
import * as z from "zod";
import { Failure } from "../../model/failure.ts";
import type { Json } from "../../std/canonical-json.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";

export interface Chart {
  readonly name: string;
  readonly version: string;
  readonly appVersion: string | undefined;
  /** Chart.yaml as data: what `helm push` makes the config of the OCI artifact. */
  readonly metadata: Json;
  /** Newest time inside the archive, in seconds: a clock that is the same wherever the archive goes. */
  readonly newest: number;
  /** Of the chart and its subcharts, in the order of their names in the archive. */
  readonly crds: readonly { readonly name: string; readonly text: string }[];
}

/** Bounds for a hostile archive. Charts with many dashboards in them reach a few MiB. */
export const bounds = {
  archive: 32 * 1024 ** 2,
  unpacked: 128 * 1024 ** 2,
  file: 16 * 1024 ** 2,
  entries: 20_000,
  depth: 4,
};

/** Deflate makes 16 MiB of it at most. */
const slice = 16 * 1024;

/** Every subchart adds two segments, so nothing that Helm would read is missed. */
const crdPath = /^[^/]+\/(?:charts\/[^/]+\/)*crds\/.+\.(ya?ml|json)$/;
export const subchartPath = /^[^/]+\/(?:charts\/[^/]+\/)*charts\/[^/]+\.tgz$/;
const chartFile = /^[^/]+\/Chart\.yaml$/;

/**
 * Reads what is needed of a packed chart, from memory; nothing is unpacked to disk.
 * @throws Failure CHART_UNUSABLE
 */
export async function readChart(bytes: Uint8Array, what = "chart"): Promise<Chart> {
  return readNested(bytes, what, { depth: 0, spent: new Spent() });
}

interface Nesting {
  readonly depth: number;
  readonly spent: Spent;
}

async function readNested(bytes: Uint8Array, what: string, { depth, spent }: Nesting): Promise<Chart> {
  if (depth > bounds.depth) throw unusable(what, `subcharts deeper than ${bounds.depth}`);
  const { files, newest } = await unpack(bytes, what, [chartFile, crdPath, subchartPath], spent);
  const [about, ...more] = [...files].filter(([name]) => chartFile.test(name));
  if (about === undefined || more.length > 0) throw unusable(what, "one Chart.yaml expected");
  const crds = [...files]
    .filter(([path]) => crdPath.test(path))
    .map(([name, text]) => ({ name, text: decode(text, what) }));
  const packed = [...files].filter(([path]) => subchartPath.test(path));
  for (const [path, content] of packed)
    crds.push(...(await readNested(content, `${what} ${path}`, { depth: depth + 1, spent })).crds);
  return { ...readChartFile(about[1], what), newest, crds };
}

function readChartFile(bytes: Uint8Array, what: string): Pick<Chart, "name" | "version" | "appVersion" | "metadata"> {
  const parsed = ChartDocument.safeParse(parse(decode(bytes, what), what));
  if (!parsed.success) throw unusable(what, `Chart.yaml: ${parsed.error.issues[0]?.path.join(".") ?? ""}`);
  const { name, version, appVersion } = parsed.data;
  // What YAML gave is JSON already: the core schema makes nothing else.
  return {
    name,
    version,
    appVersion: appVersion === undefined ? undefined : String(appVersion),
    metadata: parsed.data as Json,
  };
}

/** People forget the quotes around `appVersion: 1.0`. */
const ChartDocument = z.looseObject({
  name: z.string().min(1),
  version: z.string().min(1),
  appVersion: z.union([z.string(), z.number()]).optional(),
});

function parse(text: string, what: string): unknown {
  try {
    return loadTyped(text)[0];
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw unusable(what, `Chart.yaml:${error.line}:${error.column} ${error.message}`);
  }
}

/** What a chart and the charts packed in it have unpacked to so far: the bounds are for all of them together. */
export class Spent {
  bytes = 0;
  entries = 0;
}

/** The files that count, by name. @throws Failure CHART_UNUSABLE */
export async function unpack(
  bytes: Uint8Array,
  what: string,
  wanted: readonly RegExp[],
  spent: Spent,
): Promise<Pick<ChartReader, "files" | "newest">> {
  if (bytes.byteLength > bounds.archive) throw unusable(what, `> ${bounds.archive} B`);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw unusable(what, "gzip expected");
  const reader = new ChartReader(wanted, spent);
  return new Promise((done, failed) => {
    // A bomb ends at 200 times its size: charts are text, and text packs to a tenth.
    const parser = new Parser({ strict: true, gzip: true, maxDecompressionRatio: 200, maxMetaEntrySize: 64 * 1024 });
    // node-tar: an exception thrown while an entry is read is lost and nothing ends; abort() is what ends it.
    const refuse = (why: string): void => {
      parser.abort(unusable(what, why));
    };
    parser.on("entry", (entry: ReadEntry) => {
      reader.read(entry, refuse);
    });
    const state = { ended: false };
    parser.on("error", (cause) => {
      state.ended = true;
      failed(cause instanceof Failure ? cause : unusable(what, (cause as Error).message.slice(0, 200)));
    });
    parser.on("end", () => {
      done(reader);
    });
    // Slice by slice: node-tar unpacks all that it is given before it looks at what became of it.
    for (let at = 0; at < bytes.byteLength && !state.ended; at += slice)
      parser.write(Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(slice, bytes.byteLength - at)));
    if (!state.ended) parser.end();
  });
}

class ChartReader {
  readonly files = new Map<string, Uint8Array>();
  newest = 0;
  readonly #patterns: readonly RegExp[];
  readonly #spent: Spent;

  constructor(wanted: readonly RegExp[], spent: Spent) {
    this.#patterns = wanted;
    this.#spent = spent;
  }

  read(entry: ReadEntry, refuse: (why: string) => void): void {
    this.#spent.entries += 1;
    this.#spent.bytes += entry.size;
    this.newest = Math.max(this.newest, Math.floor((entry.mtime?.getTime() ?? 0) / 1000));
    const path = entry.path.replace(/^\.\//, "");
    const why = this.#wrong(entry, path);
    if (why !== undefined) refuse(why);
    if (why !== undefined || !this.#wanted(entry, path)) {
      entry.resume();
      return;
    }
    const chunks: Uint8Array[] = [];
    entry.on("data", (chunk: Uint8Array) => chunks.push(Uint8Array.from(chunk)));
    entry.on("end", () => this.files.set(path, Buffer.concat(chunks)));
  }

  #wanted(entry: ReadEntry, path: string): boolean {
    return entry.type === "File" && this.#patterns.some((pattern) => pattern.test(path));
  }

  #wrong({ type, size }: ReadEntry, path: string): string | undefined {
    if (type !== "File" && type !== "Directory" && type !== "OldFile") return `${path}: ${type}`;
    if (path.startsWith("/") || path.split("/").includes("..")) return `${path}: outside`;
    if (this.files.has(path)) return `${path}: twice`;
    if (size > bounds.file || this.#spent.bytes > bounds.unpacked || this.#spent.entries > bounds.entries)
      return `${path}: too large`;
    return undefined;
  }
}

export function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unusable(what, "UTF-8 expected");
  }
}

export function unusable(chart: string, why: string): Failure<"CHART_UNUSABLE"> {
  return new Failure("CHART_UNUSABLE", { chart, why });
}
