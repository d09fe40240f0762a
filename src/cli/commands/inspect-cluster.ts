import { resolve } from "node:path";
import { Failure } from "../../model/failure.ts";
import { NamespaceName, ReleaseName } from "../../model/names.ts";
import { Site } from "../../model/site.ts";
import { findReleases, inspectCluster } from "../../pipeline/inspect-cluster.ts";
import { fill } from "../../ui/fill.ts";
import { usageWords } from "../../ui/messages/parser-words.ts";
import { jsonText } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { required, text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { chartOfRelease, placeholderSite, snapshotFolder } from "../wire/snapshot-files.ts";
import { openTools } from "../wire/tools.ts";

/** Reads a Higress that runs, and writes what a bundle of it is built from. The cluster is not changed. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const folder = resolve(context.cwd, required(flags, "out"));
  const { language, signal } = context;
  const sought = {
    namespace: nameIn(flags, "namespace", NamespaceName),
    release: nameIn(flags, "release", ReleaseName),
  };
  await using tools = await openTools(flags, Site.parse(placeholderSite), context);
  const ports = { helm: tools.helm, cluster: tools.kubectl, signal };
  const [named, ...others] = await findReleases(sought, ports);
  if (named === undefined || others.length > 0) {
    const names = [named, ...others].map((each) => `${each?.namespace ?? ""}/${each?.release ?? ""}`).join(", ");
    throw new Failure("USAGE", { what: fill(usageWords[language].severalReleases, { names }) });
  }
  const read = await inspectCluster(named, ports);
  if (read === undefined) throw new Failure("USAGE", { what: fill(usageWords[language].noHigress, named) });
  const { chart, snapshot } = await chartOfRelease(read, text(flags, "chart"), tools.kubectl, context);
  const { files, readme } = await snapshotFolder(snapshot, chart, { out: required(flags, "out"), language });
  const overwrite = truth(flags, "overwrite");
  if (!truth(flags, "dry-run")) await writeNewFiles(folder, files, { overwrite, keep: true, context });
  const written = files.map(({ name }) => name);
  context.stdout.write(truth(flags, "json") ? jsonText({ ...snapshot, files: written }) : readme);
  return ExitCode.done;
}

/** Namespace and release become arguments of helm and kubectl, and parts of what is written. @throws Failure USAGE */
function nameIn(flags: Flags, flag: "namespace" | "release", schema: typeof NamespaceName): string | undefined {
  const name = text(flags, flag);
  const parsed = schema.optional().safeParse(name);
  if (parsed.success) return name;
  const wanted = `--${flag} ${flag === "namespace" ? "higress-system" : "higress"}`;
  throw new Failure("USAGE", { what: `--${flag} ${name ?? ""}`, wrong: "form", wanted });
}
