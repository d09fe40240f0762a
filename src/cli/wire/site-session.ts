import { resolve } from "node:path";
import { loadSite, parseRelocationMap } from "../../edge/files/config.ts";
import type { Site } from "../../model/site.ts";
import { relocate, type Relocated } from "../../pipeline/relocated.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import type { Context } from "../context.ts";
import { required, texts, type Flags } from "../define.ts";
import { openBundles } from "./bundle.ts";
import { readValues } from "./install-ports.ts";
import { checkSignature } from "./signature.ts";

/** A bundle and a site, opened and brought together: what most commands of the far side begin with. */
export interface SiteSession extends AsyncDisposable {
  readonly site: Site;
  readonly sitePath: string;
  readonly bundle: Bundle;
  readonly relocated: Relocated;
  /** The key that its signature fits, when one was asked for. */
  readonly signed: string | undefined;
}

export async function openSite(
  flags: Flags,
  context: Context,
): Promise<{ readonly site: Site; readonly sitePath: string }> {
  const sitePath = resolve(context.cwd, required(flags, "site"));
  return { site: await loadSite(sitePath), sitePath };
}

/** @throws Failure BUNDLE_UNSIGNED, SIGNATURE_WRONG once a key is configured, by flag or in the site file */
export async function openSiteBundle(flags: Flags, context: Context): Promise<SiteSession> {
  const { site, sitePath } = await openSite(flags, context);
  const bundle = await openBundles(required(flags, "bundle"), texts(flags, "base"), context);
  try {
    const signed = await checkSignature(bundle, [...texts(flags, "key"), ...site.trustKeys], context);
    const relocated = await relocate(bundle, site, {
      parseRelocation: parseRelocationMap,
      userValues: await readValues(site),
    });
    return { site, sitePath, bundle, relocated, signed, [Symbol.asyncDispose]: () => bundle[Symbol.asyncDispose]() };
  } catch (error) {
    await bundle[Symbol.asyncDispose]();
    throw error;
  }
}
