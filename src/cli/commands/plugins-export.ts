import { resolve } from "node:path";
import { pluginTree } from "../../content/plugin-tree.ts";
import { exportPluginTree } from "../../edge/archive/plugin-export.ts";
import { printBytes } from "../../std/bytes.ts";
import type { Context } from "../context.ts";
import { required, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTrustedBundle } from "../wire/site-session.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const directory = resolve(context.cwd, required(flags, "directory"));
  await using bundle = await openTrustedBundle(flags, context);
  const tree = await pluginTree(bundle.document.items, bundle, { signal: context.signal });
  const { written } = await exportPluginTree(tree, directory, context.signal);
  if (written === 0) report({ type: "note", text: "nothing-to-do", facts: {} });
  const bytes = [...tree.values()].reduce((sum, { size }) => sum + size, 0);
  report({ type: "note", text: "written", facts: { path: directory, size: printBytes(bytes) } });
  return ExitCode.done;
}
