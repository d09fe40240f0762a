import { basename, dirname, resolve } from "node:path";
import { heldBy } from "../../stages/push/plan.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import type { Context } from "../context.ts";
import { required, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { openTarget } from "../wire/registries.ts";

/** Asks the site's registry what it has of a bundle: small enough to be carried out, and a delta's base over there. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const path = resolve(context.cwd, required(flags, "out"));
  await using session = await openSiteBundle(flags, context);
  const { site, sitePath, bundle, plan } = session;
  await using ports = await openTarget({ site, sitePath }, context);
  ports.harbor();
  const { artifactDigest } = ports.pushOptions;
  const held = await heldBy(plan.mapped, bundle, ports.target, { artifactDigest, signal: context.signal });
  const inventory = { inventoryVersion: 1, base: plan.prefix, digests: [...held].sort() };
  // An inventory says what is there today: an older one is of no use, and is replaced.
  await writeNewFiles(dirname(path), [{ name: basename(path), text: canonicalJson(inventory) }], {
    overwrite: true,
    context,
  });
  return ExitCode.done;
}
