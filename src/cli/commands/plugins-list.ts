import { Failure, isFailure } from "../../model/failure.ts";
import { carriedPlugins, layoutOf } from "../../pipeline/carried-plugins.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf } from "../../ui/language.ts";
import { pluginsBeside, unreadLines, type PluginBeside } from "../../ui/status.ts";
import { jsonText, shortened, table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openSite, openTrustedBundle } from "../wire/site-session.ts";
import { openLook, statusReader } from "../wire/status.ts";
import { openTools } from "../wire/tools.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  if (text(flags, "site") !== undefined) return beside(flags, context);
  const { words } = catalogueOf(context.language);
  if (text(flags, "bundle") === undefined) {
    if (await hasSite(flags, context)) return beside(flags, context);
    throw new Failure("USAGE", { what: "plugins list", wrong: "either", wanted: "BUNDLE, --site site.yaml" });
  }
  await using bundle = await openTrustedBundle(flags, context);
  const plugins = await listed(bundle, context);
  if (truth(flags, "json")) context.stdout.write(jsonText(plugins));
  else
    context.stdout.write(
      table(
        [words.name, words.version, words.size, shortened(words.layout), shortened(words.reference)],
        plugins.map(({ name, version, bytes, layout, reference }) => [
          name,
          version,
          printBytes(bytes),
          layout,
          reference,
        ]),
        context.columns,
      ),
    );
  return ExitCode.done;
}

/** The one that the other commands take when none is named. */
async function hasSite(flags: Flags, context: Context): Promise<boolean> {
  try {
    await openSite(flags, context);
    return true;
  } catch (error) {
    if (isFailure(error, "USAGE")) return false;
    throw error;
  }
}

async function listed(bundle: Bundle, { signal }: Context) {
  const plugins = [];
  for (const plugin of carriedPlugins(bundle)) {
    const { name, reference, bytes, root } = plugin.item;
    const layout = await layoutOf(plugin, bundle, signal);
    const shape = layout.shape === "unloadable" ? `unloadable: ${layout.why}` : layout.shape;
    plugins.push({ name, version: plugin.version, reference, bytes, digest: root.digest, layout: shape });
  }
  return plugins;
}

/** What the cluster has, beside what the bundle would bring where one was named. */
async function beside(flags: Flags, context: Context): Promise<ExitCode> {
  await using look = await openLook(flags, context);
  await using tools = await openTools(flags, look.site, context);
  const reader = statusReader(look, tools, context);
  const live = await reader.plugins();
  const carried = look.bundle === undefined ? [] : carriedPlugins(look.bundle);
  const names = new Set([...carried.map(({ item }) => item.name), ...live.map(({ name }) => name)]);
  const plugins = [...names].toSorted().flatMap((name): readonly PluginBeside[] => {
    const version = carried.find(({ item }) => item.name === name)?.version;
    const known = version === undefined ? { name } : { name, carried: version };
    const there = live.filter((each) => each.name === name);
    return there.length === 0 ? [known] : there.map((each) => ({ ...known, live: each }));
  });
  const { unread } = reader;
  if (truth(flags, "json")) context.stdout.write(jsonText({ plugins, unread }));
  else {
    context.stdout.write(pluginsBeside(plugins, context));
    context.stdout.write(unreadLines(unread, context.language));
  }
  return ExitCode.done;
}
