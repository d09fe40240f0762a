import { resolve } from "node:path";
import { loadSite, parseRelocationMap } from "../../edge/files/config.ts";
import { push } from "../../pipeline/install.ts";
import { relocate } from "../../pipeline/relocated.ts";
import { printBytes } from "../../std/bytes.ts";
import { printReference } from "../../model/reference.ts";
import { catalogueOf } from "../../ui/language.ts";
import { table } from "../../ui/table.ts";
import type { Context } from "../context.ts";
import { required, texts, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openBundles } from "../wire/bundle.ts";
import { readValues } from "../wire/install-ports.ts";
import { checkSignature } from "../wire/signature.ts";
import { connectTarget } from "../wire/target.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const sitePath = resolve(context.cwd, required(flags, "site"));
  const site = await loadSite(sitePath);
  await using bundle = await openBundles(required(flags, "bundle"), texts(flags, "base"), context);
  await checkSignature(bundle, [...texts(flags, "key"), ...site.trustKeys], context);
  const concurrency = wholeNumber(flags, "concurrency", 1, 64);
  await using registry = await connectTarget(site, sitePath, context, concurrency);
  const relocated = await relocate(bundle, site, {
    parseRelocation: parseRelocationMap,
    userValues: await readValues(site),
  });
  const dryRun = truth(flags, "dry-run");
  const { report } = context.reporter;
  report({ type: "phase", phase: "push", state: "started" });
  const result = await push(
    relocated,
    bundle,
    { target: registry, pushOptions: { dryRun } },
    { concurrency, signal: context.signal, report },
  );
  report({ type: "phase", phase: "push", state: "done" });
  const words = catalogueOf(context.language).words;
  const rows = relocated.mapped.flatMap(({ item, targets }) =>
    targets.map((target) => [item.reference, printReference(target)]),
  );
  if (dryRun) context.stdout.write(table([words.reference, words.name], rows));
  context.stdout.write(
    `${words.uploaded} ${printBytes(result.uploaded)}, ${words.mounted} ${printBytes(result.mounted)}, ${words.present} ${printBytes(result.present)}\n`,
  );
  return ExitCode.done;
}
