import { resolve } from "node:path";
import { loadSite, loadValues, parseRelocationMap } from "../../edge/files/config.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { setValues } from "../../model/set-values.ts";
import type { OwnValues } from "../../model/relocation.ts";
import { leavesOf, mergeValues, nest, valueAt, type Values } from "../../model/values.ts";
import type { Site } from "../../model/site.ts";
import { valuesIn } from "../../pipeline/misfits.ts";
import { planInstall, type InstallPlan, type OwnerLayer } from "../../pipeline/install-plan.ts";
import type { Bundle } from "../../content/open-bundle.ts";
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

export interface OpenedSite {
  readonly site: Site;
  readonly sitePath: string;
}

export async function openSite(flags: Flags, context: Context): Promise<OpenedSite> {
  const named = text(flags, "site");
  const sitePath = sitePathOf(flags, context.cwd);
  const site = await loadSite(sitePath).catch((error: unknown) => {
    if (named !== undefined || !isFailure(error, "FILE_MISSING")) throw error;
    throw new Failure("USAGE", { what: fill(usageWords[context.language].noSite, { path: sitePath }) });
  });
  return { site, sitePath };
}

/**
 * What the site's files say, what it says of each release, and over it `--values` and then `--set`, as Helm orders them.
 * The relocation is laid over all of it later.
 */
export async function readValues(
  { site, sitePath }: OpenedSite,
  flags: Flags,
  { cwd }: Context,
): Promise<readonly OwnValues[]> {
  const files = (paths: readonly string[], release?: string): Promise<readonly OwnValues[]> =>
    Promise.all(paths.map(async (path) => ({ from: path, layer: await loadValues(path), release })));
  const own = [...(await files(site.valuesFiles)), { from: `${sitePath}: values`, layer: site.values }];
  for (const [release, { values, valuesFiles }] of Object.entries(site.releases))
    own.push(...(await files(valuesFiles, release)), {
      from: `${sitePath}: releases.${release}.values`,
      layer: values,
      release,
    });
  own.push(...(await files(texts(flags, "values").map((file) => resolve(cwd, file)))));
  own.push({ from: "--set", layer: setOver(own, texts(flags, "set")) });
  return own.filter(({ layer }) => typeof layer === "string" || Object.keys(layer).length > 0);
}

/** What `--set` changes of the layers below: `args[1]=x` is about a list that stands there, and helm replaces lists whole. */
function setOver(own: readonly OwnValues[], settings: readonly string[]): Values {
  const shared = own.filter(({ release }) => release === undefined);
  const below = mergeValues(...shared.map(({ layer }) => valuesIn(layer)));
  const all = settings.reduce<Values>((over, each) => {
    try {
      return setValues(over, each);
    } catch (error) {
      throw new Failure("USAGE", { what: `--set ${each}`, wrong: "form", wanted: "--set a.b=c" }, { cause: error });
    }
  }, below);
  const changed = leavesOf(all).filter(({ path, value }) => value !== valueAt(below, path));
  return mergeValues(...changed.map(({ path, value }) => nest(path, value)));
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
  const file = await openSite(flags, context);
  const { site, sitePath } = file;
  const bundle = await openBundles(required(flags, "bundle"), texts(flags, "base"), context);
  try {
    const check = verifiesItself ? checkSignature : checkTrust;
    const signed = await check(bundle, trustedKeys(flags, site), context);
    const userValues = await readValues(file, flags, context);
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
