import { printBytes } from "../../std/bytes.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { catalogueOf } from "../../ui/language.ts";
import { table } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { required, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openBundles } from "../wire/bundles.ts";
import { carriedPlugins, layoutOf } from "../../pipeline/carried-plugins.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { words } = catalogueOf(context.language);
  await using bundle = await openBundles(required(flags, "bundle"), [], context);
  const plugins = [];
  for (const plugin of carriedPlugins(bundle)) {
    const { name, reference, bytes, root } = plugin.item;
    const layout = await layoutOf(plugin, bundle, context.signal);
    const shape = layout.shape === "unloadable" ? `unloadable: ${layout.why}` : layout.shape;
    plugins.push({ name, version: plugin.version, reference, bytes, digest: root.digest, layout: shape });
  }
  if (truth(flags, "json")) context.stdout.write(canonicalJson(plugins));
  else
    context.stdout.write(
      table(
        [words.name, words.version, words.size, words.layout, words.reference],
        plugins.map(({ name, version, bytes, layout, reference }) => [
          name,
          version,
          printBytes(bytes),
          layout,
          reference,
        ]),
      ),
    );
  return ExitCode.done;
}
