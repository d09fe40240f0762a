import { createHash } from "node:crypto";
import { Failure, isFailure } from "../../model/failure.ts";
import { parseReference, type Reference } from "../../model/reference.ts";
import { isMap, itemsAt, mapAt, textAt } from "../../model/rendered-object.ts";
import { loadStrings, YamlError } from "../../std/yaml.ts";
import { readBytes } from "../files/read-text.ts";
import { readChart, type Chart } from "./read.ts";

/** Reads a URL whole; more than `limit` bytes is a failure. */
export type Get = (
  url: string,
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
) => Promise<Uint8Array>;

/** Reads the chart layer of `oci://registry/path/name:version`; the registry client does it. */
type PullOci = (reference: string, signal?: AbortSignal) => Promise<Uint8Array>;

interface ChartRequest {
  readonly name: string;
  readonly version: string;
  /** A chart repository, `oci://registry/path`, the URL of a .tgz, or a local .tgz. */
  readonly from: string;
  /** Tried in turn when what is before them does not answer. */
  readonly mirrors?: readonly string[] | undefined;
}

export interface ChartPorts {
  readonly get: Get;
  readonly pullOci: PullOci;
}

interface PulledChart {
  /** As they were published: digest and provenance stay true. */
  readonly bytes: Uint8Array;
  readonly from: string;
  readonly chart: Chart;
}

const limits = { index: 64 * 1024 ** 2, chart: 32 * 1024 ** 2 } as const;

/**
 * Brings one chart, of exactly the name and version that were asked for.
 * @throws Failure what the last source said when none has it; wrong bytes of any source, at once
 */
export async function pullChart(request: ChartRequest, ports: ChartPorts, signal?: AbortSignal): Promise<PulledChart> {
  return ofFirst(request, (from) => pullFrom(from, request, ports, signal), signal);
}

/** What the first of the sources says that is there. @throws Failure what the last one said */
async function ofFirst<T>(
  { from: first, mirrors = [] }: Pick<ChartRequest, "from" | "mirrors">,
  ask: (from: string) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const sources = [first, ...mirrors];
  for (const [at, from] of sources.entries()) {
    try {
      return await ask(from);
    } catch (error) {
      signal?.throwIfAborted();
      if (at === sources.length - 1 || !isAway(error)) throw error;
    }
  }
  throw new RangeError("No chart source");
}

/**
 * Silence, absence and a closed door lead to the mirror, which is there for those who do not get in. A chart that is there
 * and wrong must not be passed over.
 */
function isAway(error: unknown): boolean {
  const away = ["REGISTRY_UNREACHABLE", "REGISTRY_BUSY", "REGISTRY_NOT_FOUND", "REGISTRY_STALLED"] as const;
  return isFailure(
    error,
    ...away,
    "REGISTRY_UNAUTHORIZED",
    "REGISTRY_LOGIN_WRONG",
    "REGISTRY_DENIED",
    "REGISTRY_TLS",
    "FILE_MISSING",
  );
}

async function pullFrom(
  from: string,
  request: ChartRequest,
  ports: ChartPorts,
  signal: AbortSignal | undefined,
): Promise<PulledChart> {
  const wanted = `${request.name} ${request.version}`;
  const bytes = await bytesFrom(from, request, ports, signal);
  const chart = await readChart(bytes, wanted);
  if (chart.name !== request.name || chart.version !== request.version)
    throw new Failure("CHART_UNUSABLE", { chart: wanted, why: `${from}: ${chart.name} ${chart.version}` });
  return { bytes, from, chart };
}

interface VersionPorts {
  readonly get: Get;
  tags(repository: Reference): Promise<readonly string[]>;
}

/** What the first source of a chart that is there has, in no order. A single file has no versions. */
export async function chartVersions(
  request: Pick<ChartRequest, "name" | "from" | "mirrors">,
  ports: VersionPorts,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  return ofFirst(request, (from) => versionsAt(from, request.name, ports, signal), signal);
}

async function versionsAt(
  from: string,
  name: string,
  ports: VersionPorts,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  if (/^oci:\/\//i.test(from)) {
    const tags = await ports.tags(parseReference(ociReference(from, { name, version: "0", from })));
    return tags.map((tag) => tag.replaceAll("_", "+"));
  }
  if (!/^https?:\/\//i.test(from) || webAddress(from, name).pathname.endsWith(".tgz")) return [];
  const base = from.endsWith("/") ? from : `${from}/`;
  const index = await ports.get(new URL("index.yaml", base).href, { limit: limits.index, signal });
  const entries = itemsAt(mapAt(parse(Buffer.from(index).toString("utf8"), base), "entries"), name);
  return entries.flatMap((entry) => textAt(entry, "version") ?? []);
}

function bytesFrom(
  from: string,
  request: ChartRequest,
  ports: ChartPorts,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (/^oci:\/\//i.test(from)) return ports.pullOci(ociReference(from, request), signal);
  if (/^https?:\/\//i.test(from)) return fromRepository(from, request, ports.get, signal);
  return readBytes(from, limits.chart);
}

/** Helm's rules: the repository ends in the chart's name, and the tag is the version with `+` written `_`. */
function ociReference(from: string, { name, version }: ChartRequest): string {
  const base = from.replace(/\/+$/, "");
  const tagged = base.includes("@") || base.slice(base.lastIndexOf("/")).includes(":");
  if (tagged && base.split("/").length > 3) return base;
  const repository = base.endsWith(`/${name}`) ? base : `${base}/${name}`;
  return `${repository}:${version.replaceAll("+", "_")}`;
}

async function fromRepository(
  from: string,
  request: ChartRequest,
  get: Get,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (webAddress(from, request.name).pathname.endsWith(".tgz")) return get(from, { limit: limits.chart, signal });
  const base = from.endsWith("/") ? from : `${from}/`;
  const index = await get(new URL("index.yaml", base).href, { limit: limits.index, signal });
  const { url, digest } = findInIndex(Buffer.from(index).toString("utf8"), request, base);
  const bytes = await get(url, { limit: limits.chart, signal });
  const got = createHash("sha256").update(bytes).digest("hex");
  if (digest === undefined || got === digest) return bytes;
  throw new Failure("CONTENT_MISMATCH", { what: url, wanted: `sha256:${digest}`, got: `sha256:${got}` });
}

function webAddress(from: string, chart: string): URL {
  if (!URL.canParse(from)) throw new Failure("CHART_UNUSABLE", { chart, why: `${from}: no URL` });
  return new URL(from);
}

interface IndexEntry {
  readonly url: string;
  /** Hex of the sha256, where the index says it. */
  readonly digest: string | undefined;
}

/** Finds one version in a chart repository's `index.yaml`. @throws Failure CHART_UNUSABLE, with what there is instead */
function findInIndex(
  text: string,
  { name, version }: { readonly name: string; readonly version: string },
  base: string,
): IndexEntry {
  const entries = mapAt(parse(text, base), "entries");
  const versions = itemsAt(entries, name);
  const entry = versions.find((candidate) => textAt(candidate, "version") === version);
  const urls = entry?.["urls"];
  const first: unknown = Array.isArray(urls) ? urls[0] : undefined;
  if (typeof first === "string") {
    const digest = textAt(entry ?? {}, "digest")?.replace(/^sha256:/, "");
    const url = URL.canParse(first, base) ? new URL(first, base) : undefined;
    if (url !== undefined && /^https?:$/.test(url.protocol)) return { url: url.href, digest };
    const why = `${base}index.yaml: urls: ${first}`;
    throw new Failure("CHART_UNUSABLE", { chart: `${name} ${version}`, why: why.slice(0, 600) });
  }
  if (entry !== undefined) {
    const why = `${base}index.yaml: ${version}: urls`.slice(0, 600);
    throw new Failure("CHART_UNUSABLE", { chart: `${name} ${version}`, why });
  }
  const has = versions.length > 0 ? versions.map((candidate) => textAt(candidate, "version")) : Object.keys(entries);
  const why = `${base}index.yaml: ${has.slice(0, 10).join(", ") || "no entries"}`;
  throw new Failure("CHART_UNUSABLE", { chart: `${name} ${version}`, why: why.slice(0, 600) });
}

function parse(text: string, base: string): Readonly<Record<string, unknown>> {
  try {
    const [document] = loadStrings(text);
    return isMap(document) ? document : {};
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const why = `${base}index.yaml:${error.line}:${error.column} ${error.message}`;
    throw new Failure("CHART_UNUSABLE", { chart: base, why: why.slice(0, 600) });
  }
}
