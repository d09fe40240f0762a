import { reportFindings } from "../../model/event.ts";
import { carriedRelease } from "../../model/gateway.ts";
import { resolve } from "node:path";
import pMap from "p-map";
import { readText } from "../../edge/files/read-text.ts";
import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { sanitize } from "../../model/sanitize.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf } from "../../ui/language.ts";
import { jsonText, shortened, table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { text, texts, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTrustedBundle } from "../wire/site-session.ts";
import { startPorts } from "../wire/tools.ts";
import { checkCarried, type CheckedPlugin, carriedPlugins, carriedConfigs } from "../../pipeline/carried-plugins.ts";

/** A module and its worker can take half a gigabyte: two at once keep a small host alive. */
const concurrency = 2;
/** The API server stores no larger object. */
const maxConfig = 3 * 1024 ** 2;

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  await using bundle = await openTrustedBundle(flags, context);
  const plugins = carriedPlugins(bundle, texts(flags, "name"));
  const given = await givenConfig(flags, context);
  const carried = await carriedConfigs(bundle);
  const release = text(flags, "release-version") ?? carriedRelease(bundle.document);
  const check = checkCarried(() => bundle, release, await startPorts(), context.signal);
  const checked = await pMap(
    plugins,
    (plugin) => check(plugin, given === undefined ? carried.configsOf(plugin.item) : [given]),
    { concurrency, signal: context.signal },
  );
  const findings = [...carried.findings, ...checked.flatMap((each) => each.findings)];
  reportFindings(findings, report);
  if (truth(flags, "json")) context.stdout.write(jsonText(checked));
  else context.stdout.write(listing(checked, context));
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}

function listing(plugins: readonly CheckedPlugin[], { language, columns }: Context): string {
  const { words } = catalogueOf(language);
  return table(
    [shortened(words.name), words.version, shortened(words.layout), "ABI", words.memory, words.start],
    plugins.map(({ name, version, layout, abi, memory, start }) => [
      name,
      version,
      layout,
      abi ?? "-",
      memory === undefined ? "-" : printBytes(memory),
      start,
    ]),
    columns,
  );
}

/** `--config FILE`: it belongs to one plugin. The gateway hands it over as it stands, if it is JSON. */
async function givenConfig(flags: Flags, context: Context): Promise<string | undefined> {
  const name = text(flags, "config");
  if (name === undefined) return undefined;
  if (texts(flags, "name").length !== 1)
    throw new Failure("USAGE", { what: "--config", wrong: "with", wanted: "--name" });
  const file = resolve(context.cwd, name);
  const config = await readText(file, maxConfig);
  try {
    JSON.parse(config);
  } catch (cause) {
    throw new Failure("CONFIG_INVALID", { file, problems: sanitize((cause as Error).message, 200) }, { cause });
  }
  return config;
}
