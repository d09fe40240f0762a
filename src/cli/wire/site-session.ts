import { resolve } from "node:path";
import { loadSite, loadValues, parseRelocationMap } from "../../edge/files/config.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { setValues } from "../../model/set-values.ts";
import { mergeValues, type Values } from "../../model/values.ts";
import type { Site } from "../../model/site.ts";
import { planInstall, type InstallPlan, type OwnerLayer } from "../../pipeline/install-plan.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import { loadTyped } from "../../std/yaml.ts";
import { fill } from "../../ui/fill.ts";
import { usageWords } from "../../ui/messages/parser-words.ts";
import type { Context } from "../context.ts";
import { required, text, texts, type Flags } from "../define.ts";
import { openBundles, checkSignature, checkTrust, trustedKeys } from "./bundles.ts";

/** A bundle and a site, opened and brought together: what most commands of the far side begin with. */
export interface SiteSession extends AsyncDisposable {
  readonly site: Site;
  readonly sitePath: string;
  readonly bundle: Bundle;
  readonly plan: InstallPlan;
  /** The same plan over what the former owners of its releases had set. */
  planOver(owners: readonly OwnerLayer[]): Promise<InstallPlan>;
  /** The key that its signature fits, when one was asked for. */
  readonly signed: string | undefined;
}

/** What `site init` writes when it is not told otherwise. */
export function sitePathOf(flags: Flags, cwd: string): string {
  return resolve(cwd, text(flags, "site") ?? "site.yaml");
}

export async function openSite(
  flags: Flags,
  context: Context,
): Promise<{ readonly site: Site; readonly sitePath: string }> {
  const named = text(flags, "site");
  const sitePath = sitePathOf(flags, context.cwd);
  const site = await loadSite(sitePath).catch((error: unknown) => {
    if (named !== undefined || !isFailure(error, "FILE_MISSING")) throw error;
    throw new Failure("USAGE", { what: fill(usageWords[context.language].noSite, { path: sitePath }) });
  });
  return { site: { ...site, values: await valuesOver(site.values, flags, context) }, sitePath };
}

/** `--values` and then `--set` over what the site file says, as Helm orders them. The relocation is laid over all of it later. */
async function valuesOver(values: Values, flags: Flags, context: Context): Promise<Values> {
  let over = values;
  for (const file of texts(flags, "values"))
    for (const document of loadTyped(await loadValues(resolve(context.cwd, file))))
      over = mergeValues(over, (document ?? {}) as Values);
  for (const each of texts(flags, "set"))
    try {
      over = setValues(over, each);
    } catch (error) {
      throw new Failure("USAGE", { what: `--set ${each}: a.b=c` }, { cause: error });
    }
  return over;
}

export interface OpenSiteOptions {
  /** Who opens it hashes all of it before anything is done with it. */
  readonly verifiesItself?: boolean | undefined;
}

/** @throws Failure as `checkTrust` once a key is configured, by flag or in the site file */
export async function openSiteBundle(
  flags: Flags,
  context: Context,
  { verifiesItself = false }: OpenSiteOptions = {},
): Promise<SiteSession> {
  const { site, sitePath } = await openSite(flags, context);
  const bundle = await openBundles(required(flags, "bundle"), texts(flags, "base"), context);
  try {
    const check = verifiesItself ? checkSignature : checkTrust;
    const signed = await check(bundle, trustedKeys(flags, site), context);
    const userValues = await readValues(site);
    const planOver = (owners: readonly OwnerLayer[]) =>
      planInstall(bundle, site, { parseRelocation: parseRelocationMap, userValues, owners });
    return {
      site,
      sitePath,
      bundle,
      plan: await planOver([]),
      planOver,
      signed,
      [Symbol.asyncDispose]: () => bundle[Symbol.asyncDispose](),
    };
  } catch (error) {
    await bundle[Symbol.asyncDispose]();
    throw error;
  }
}

/** The keys of the command line, and of the site file where one is named. */
export async function namedKeys(flags: Flags, context: Context): Promise<readonly string[]> {
  const site = text(flags, "site") === undefined ? undefined : (await openSite(flags, context)).site;
  return trustedKeys(flags, site);
}

/** A bundle for what needs no cluster and no registry. @throws Failure as `checkTrust` */
export async function openTrustedBundle(flags: Flags, context: Context): Promise<Bundle> {
  const keys = await namedKeys(flags, context);
  const bundle = await openBundles(required(flags, "bundle"), texts(flags, "base"), context);
  try {
    await checkTrust(bundle, keys, context);
    return bundle;
  } catch (error) {
    await bundle[Symbol.asyncDispose]();
    throw error;
  }
}

export async function readValues(site: Site): Promise<readonly string[]> {
  return Promise.all(site.valuesFiles.map(loadValues));
}
