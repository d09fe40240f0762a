import { basename, dirname, resolve } from "node:path";
import { readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { Failure } from "../../model/failure.ts";
import { BundleSpec, PluginSelection } from "../../model/spec.ts";
import { loadTyped } from "../../std/yaml.ts";
import { specFile } from "../../ui/files.ts";
import { catalogueOf } from "../../ui/language.ts";
import type { Context } from "../context.ts";
import { text, texts, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { answer, refuseBeforeQuestions, writeNewFiles } from "../wire/new-files.ts";

/** A spec, with the relocation map and the schema that it names beside it: what is written can be built at once. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { words } = catalogueOf(context.language);
  const out = resolve(context.cwd, text(flags, "out") ?? "bundle.yaml");
  const overwrite = truth(flags, "overwrite");
  await refuseBeforeQuestions(out, { overwrite, context });
  const typed = text(flags, "release-version") ?? (await answer(context, words["ask-version"], releases[0]));
  // The tags of Higress' repository begin with it, the versions of its chart do not.
  const version = typed.replace(/^v(?=\d)/, "");
  const { spec, relocation } = await readShippedRelease(version);
  const asked = texts(flags, "platform");
  const platforms = asked.length > 0 ? asked : list(await answer(context, words["ask-platforms"], listed(spec)));
  const preset = presetOf(text(flags, "preset") ?? (await answer(context, words["ask-preset"], "all")));
  const map = `relocation-${version}.yaml`;
  const schema = "bundle.schema.json";
  const named = relocation === undefined ? undefined : map;
  const document = withChoices(spec, { platforms, preset, relocation: named });
  const content = specFile({ file: basename(out), schema, document }, context.language);
  // Before anything is written: a wrong platform is told here, not by the build.
  parseConfig(content, out, BundleSpec);
  await writeNewFiles(
    dirname(out),
    [
      { name: basename(out), text: content },
      ...(relocation === undefined ? [] : [{ name: map, text: relocation }]),
      { name: schema, text: await readAsset(`manifests/schema/${schema}`) },
    ],
    { overwrite, context },
  );
  return ExitCode.done;
}

interface Choices {
  readonly platforms: readonly string[];
  readonly preset: string;
  /** Absent: the build learns it. */
  readonly relocation: string | undefined;
}

function withChoices(
  spec: Readonly<Record<string, unknown>>,
  { platforms, preset, relocation }: Choices,
): Readonly<Record<string, unknown>> {
  const charts = (spec["charts"] as readonly Readonly<Record<string, unknown>>[]).map((chart) => {
    const { relocation: shipped, ...rest } = chart;
    return shipped === undefined || relocation === undefined ? rest : { ...rest, relocation };
  });
  return {
    ...spec,
    platforms,
    charts,
    plugins: { ...(spec["plugins"] as object), preset },
    tools: toolsFor(spec, platforms),
  };
}

/** Of `tools:`, what a host of these platforms can start; `linux/arm64/v8` too is one that starts arm64. */
export function toolsFor(
  spec: Readonly<Record<string, unknown>>,
  platforms: readonly string[],
): Readonly<Record<string, unknown>> {
  const wanted = platforms.map((platform) => platform.split("/").slice(0, 2).join("-"));
  const tools = Object.entries(spec["tools"] ?? {});
  return Object.fromEntries(tools.filter(([name]) => wanted.some((platform) => name.endsWith(`-${platform}`))));
}

function presetOf(value: string): string {
  const presets = PluginSelection.shape.preset.unwrap().options;
  if (presets.some((preset) => preset === value)) return value;
  throw new Failure("USAGE", { what: `--preset ${value}`, wrong: "allowed", wanted: presets.join(", ") });
}

function listed(spec: Readonly<Record<string, unknown>>): string {
  return (spec["platforms"] as readonly string[] | undefined)?.join(" ") ?? "linux/amd64 linux/arm64";
}

function list(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** Releases of Higress that ship with the program, newest first: `manifests/higress/<version>/`. */
export const releases = ["2.2.4", "2.2.0", "2.1.9"] as const;

/**
 * The spec of a release. For one that does not ship with the program the newest that does is the pattern: its map is
 * learned by the build, and its plugins are those that its console names.
 */
export async function readShippedRelease(
  version: string,
): Promise<{ readonly spec: Readonly<Record<string, unknown>>; readonly relocation: string | undefined }> {
  const known = releases.some((release) => release === version);
  const folder = `manifests/higress/${known ? version : releases[0]}`;
  const spec = loadTyped(await readAsset(`${folder}/bundle.yaml`))[0] as Readonly<Record<string, unknown>>;
  if (known) return { spec, relocation: await readAsset(`${folder}/relocation.yaml`) };
  const charts = (spec["charts"] as readonly Readonly<Record<string, unknown>>[]).map((chart) => ({
    ...chart,
    version,
  }));
  const plugins = { ...(spec["plugins"] as object), discover: true, list: [] };
  return { spec: { ...spec, version, charts, plugins }, relocation: undefined };
}
