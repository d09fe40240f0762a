import { Failure } from "../../model/failure.ts";
import { isMap, itemsAt, mapAt, textAt } from "../../model/rendered-object.ts";
import { loadStrings, YamlError } from "../../std/yaml.ts";

export interface IndexEntry {
  readonly url: string;
  /** Hex of the sha256, where the index says it. */
  readonly digest: string | undefined;
}

/** Finds one version in a chart repository's `index.yaml`. @throws Failure CHART_UNUSABLE, with what there is instead */
export function findInIndex(
  text: string,
  { name, version }: { readonly name: string; readonly version: string },
  base: string,
): IndexEntry {
  const entries = mapAt(parse(text, base), "entries");
  const versions = itemsAt(entries, name);
  const entry = versions.find((candidate) => textAt(candidate, "version") === version);
  const [first] = (entry?.["urls"] as readonly unknown[] | undefined) ?? [];
  if (typeof first === "string") {
    const digest = textAt(entry ?? {}, "digest")?.replace(/^sha256:/, "");
    if (URL.canParse(first, base)) return { url: new URL(first, base).href, digest };
    const why = `${base}index.yaml: urls: ${first}`;
    throw new Failure("CHART_UNUSABLE", { chart: `${name} ${version}`, why: why.slice(0, 600) });
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
