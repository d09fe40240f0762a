import { Failure, isFailure } from "../../model/failure.ts";
import { joinPath, type ValuesPath } from "../../model/values.ts";
import { readChart } from "./read.ts";
import { templateTexts } from "./values.ts";

/**
 * What helm's refusal to render a chart on this host means for whoever wrote the spec: no cluster was asked. The sentences
 * were seen on 3.17.3, 4.1.4 and 4.2.3; whatever is not recognised is handed on in helm's own words.
 */
export async function unrendered(cause: unknown, archive: Uint8Array): Promise<unknown> {
  if (!isFailure(cause, "HELM_FAILED")) return cause;
  const { name, version } = await readChart(archive, "chart");
  const chart = `${name} ${version}`;
  // On one line, as all that others say.
  const output = cause.facts.output.replace(/ Use --debug flag to render out invalid YAML$/, "");
  const [, missing] = /missing in charts\/ directory: (.+)$/.exec(output) ?? [];
  if (missing !== undefined) return new Failure("CHART_INCOMPLETE", { chart, missing }, { cause });
  const wanted = (await requiredValue(output, archive, chart)) ?? nilValue(output);
  if (wanted === undefined) return new Failure("CHART_UNUSABLE", { chart, why: output }, { cause });
  const { path, says } = wanted;
  return new Failure("CHART_VALUE_WANTED", { chart, path: joinPath(path), says }, { cause });
}

interface WantedValue {
  readonly path: ValuesPath;
  /** Of the chart's author, or of helm. */
  readonly says: string;
}

/** `required "…" .Values.a.b` in some template, which helm quotes without saying of which value it speaks. */
async function requiredValue(output: string, archive: Uint8Array, chart: string): Promise<WantedValue | undefined> {
  const [, template = "", says = ""] = /execution error at \(([^():]+):\d+:\d+\): (.+)$/.exec(output) ?? [];
  if (says === "") return undefined;
  for (const text of await templateTexts(archive, chart))
    for (const [action] of text.matchAll(/\{\{(?:[^}"]|"(?:[^"\\\n]|\\.){0,1000}"|\}(?!\})){0,2000}\}\}/g)) {
      const keys = /\brequired\b/.test(action) ? keysBeside(action, says) : undefined;
      if (keys !== undefined) return { path: fromTop(keys, template), says };
    }
  return undefined;
}

/** The value behind the words, or the last one that is piped into them. */
function keysBeside(action: string, says: string): string | undefined {
  const at = Math.max(action.indexOf(JSON.stringify(says)), action.indexOf(`\`${says}\``));
  if (at < 0) return undefined;
  const keys = (text: string): readonly string[] =>
    [...text.matchAll(/\.Values\.([A-Za-z_][\w.]*)/g)].map(([, found = ""]) => found);
  return keys(action.slice(at))[0] ?? keys(action.slice(0, at)).at(-1);
}

/** `.Values.image.tag` where nobody has an `image`: helm names the helper last, and the template that asked for it first. */
function nilValue(output: string): WantedValue | undefined {
  const [, keys, says] = /<\$?\.Values\.([A-Za-z_][\w.]*)>: (nil pointer evaluating .+)$/.exec(output) ?? [];
  const [, template = ""] = /template: ([^:\s]+):\d+:\d+/.exec(output) ?? [];
  return keys === undefined || says === undefined ? undefined : { path: fromTop(keys, template), says };
}

/** A subchart's values stand below its name, or its alias: helm has it in the path of the template. */
function fromTop(keys: string, template: string): ValuesPath {
  const own = keys.split(".").filter((key) => key !== "");
  const above = [...template.matchAll(/\/charts\/([^/]+)(?=\/)/g)].map(([, name = ""]) => name);
  return own[0] === "global" ? own : [...above, ...own];
}
