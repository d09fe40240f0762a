import { resolve } from "node:path";
import { verifySignature } from "../../edge/disk/signature.ts";
import { readText } from "../../edge/files/read-text.ts";
import { Failure } from "../../model/failure.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import type { Context } from "../context.ts";

const maxKey = 64 * 1024;

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
