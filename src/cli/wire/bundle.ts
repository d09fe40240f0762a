import { resolve } from "node:path";
import { openSource } from "../../edge/disk/open-source.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import { openBundle } from "../../stages/bundle/open.ts";
import { openUnion } from "../../stages/bundle/union.ts";
import { refuseWrongDocuments } from "../../stages/documents/documents.ts";
import type { Context } from "../context.ts";

/** Opens a bundle, and with it the bases that a delta rests on. @throws Failure BUNDLE_MALFORMED */
export async function openBundles(path: string, bases: readonly string[], context: Context): Promise<Bundle> {
  const bundle = await openToJudge(path, bases, context);
  try {
    await refuseWrongDocuments(bundle);
    return bundle;
  } catch (error) {
    await bundle[Symbol.asyncDispose]();
    throw error;
  }
}

/** As `openBundles`, for those who say what is wrong in its documents, or mend what is damaged of them. */
export async function openToJudge(path: string, bases: readonly string[], context: Context): Promise<Bundle> {
  const open = async (name: string): Promise<Bundle> =>
    openBundle(await openSource(resolve(context.cwd, name)), { signal: context.signal });
  const bundle = await open(path);
  if (bundle.document.delta === undefined || bases.length === 0) return bundle;
  const opened: Bundle[] = [];
  try {
    for (const base of bases) opened.push(await open(base));
  } catch (error) {
    for (const each of [bundle, ...opened]) await each[Symbol.asyncDispose]();
    throw error;
  }
  return openUnion(opened, bundle);
}

export interface OpenBundles extends AsyncDisposable {
  readonly bundles: readonly Bundle[];
}

/** Several bundles that nothing but their user holds together: earlier ones, and copies. */
export async function openEach(paths: readonly string[], context: Context): Promise<OpenBundles> {
  const bundles: Bundle[] = [];
  const close = async (): Promise<void> => {
    for (const bundle of bundles) await bundle[Symbol.asyncDispose]();
  };
  try {
    for (const path of paths) bundles.push(await openToJudge(path, [], context));
  } catch (error) {
    await close();
    throw error;
  }
  return { bundles, [Symbol.asyncDispose]: close };
}
