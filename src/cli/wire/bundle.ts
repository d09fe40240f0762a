import { resolve } from "node:path";
import { openSource } from "../../edge/disk/open-source.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import { openBundle } from "../../stages/bundle/open.ts";
import { openUnion } from "../../stages/bundle/union.ts";
import type { Context } from "../context.ts";

/** Opens a bundle, and with it the bases that a delta rests on. */
export async function openBundles(path: string, bases: readonly string[], context: Context): Promise<Bundle> {
  const open = async (name: string): Promise<Bundle> =>
    openBundle(await openSource(resolve(context.cwd, name)), { signal: context.signal });
  const bundle = await open(path);
  if (bundle.document.delta === undefined || bases.length === 0) return bundle;
  const opened: Bundle[] = [];
  for (const base of bases) opened.push(await open(base));
  return openUnion(opened, bundle);
}
