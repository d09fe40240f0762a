import { resolve } from "node:path";
import { verifySignature } from "../../edge/disk/signature.ts";
import { readText } from "../../edge/files/read-text.ts";
import { Failure } from "../../model/failure.ts";
import type { Site } from "../../model/site.ts";
import { stopAt } from "../../pipeline/recorder.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import type { Context } from "../context.ts";
import { texts, type Flags } from "../define.ts";
import { verifyWhole } from "./verify.ts";

export const maxKey = 64 * 1024;

/** Of the command line and of the site file. */
export function trustedKeys(flags: Flags, site: Site | undefined): readonly string[] {
  return [...texts(flags, "key"), ...(site?.trustKeys ?? [])];
}

/**
 * Once a key is configured, nothing of a bundle is used before its signature fits and every byte is what was signed:
 * a command that reads only a part would otherwise accept a bundle that somebody changed elsewhere.
 * @returns the key that fits, or `undefined` when no key was asked for
 * @throws Failure as `checkSignature`, FINDINGS once what is damaged has been reported
 */
export async function checkTrust(
  bundle: Bundle,
  keys: readonly string[],
  context: Context,
): Promise<string | undefined> {
  const signed = await checkSignature(bundle, keys, context);
  if (signed === undefined) return undefined;
  const { findings } = await verifyWhole(bundle, { quick: false }, context);
  stopAt(findings, context.reporter.report);
  return signed;
}

/**
 * Once a key is configured, a bundle must be signed by it.
 * @returns the key that fits, or `undefined` when no key was asked for
 * @throws Failure BUNDLE_UNSIGNED, SIGNATURE_WRONG, KEY_UNUSABLE
 */
export async function checkSignature(
  bundle: Bundle,
  keys: readonly string[],
  context: Context,
): Promise<string | undefined> {
  if (keys.length === 0) return undefined;
  const { sums, signature } = await bundle.signature();
  if (signature === undefined) throw new Failure("BUNDLE_UNSIGNED", { path: bundle.source.name });
  for (const key of keys) {
    const path = resolve(context.cwd, key);
    if (verifySignature(sums, signature, await readText(path, maxKey))) return path;
  }
  throw new Failure("SIGNATURE_WRONG", { path: bundle.source.name, key: keys.join(", ") });
}
