import { resolve } from "node:path";
import { readChart } from "../../edge/charts/read.ts";
import { loadValues } from "../../edge/files/config.ts";
import { readBytes } from "../../edge/files/read-text.ts";
import { openHelm } from "../../edge/process/helm.ts";
import { replaceFile } from "../../edge/files/replace.ts";
import type { Context } from "../context.ts";
import { required, text, texts, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { learnAndTell, mapText } from "../wire/learn.ts";
import { findTool } from "../wire/tools.ts";

/** Templates and CRDs; an archive that is larger is something else. */
const maxArchive = 32 * 1024 ** 2;

/** Any packed chart: which of its values move which reference, as a map that a spec can name. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const path = resolve(context.cwd, required(flags, "chart"));
  const archive = await readBytes(path, maxArchive);
  const { name, version } = await readChart(archive, path);
  const files = texts(flags, "values").map((file) => resolve(context.cwd, file));
  await using helm = await openHelm(await findTool("helm", { named: text(flags, "helm") }, context), {
    env: context.env,
  });
  const map = await learnAndTell(
    {
      archive,
      name,
      version,
      namespace: text(flags, "namespace") ?? "higress-system",
      kubeVersion: text(flags, "kube-version") ?? "1.30.0",
      valuesFiles: await Promise.all(files.map(loadValues)),
      values: {},
    },
    helm,
    context,
  );
  const out = text(flags, "out");
  if (out === undefined) context.stdout.write(mapText(map));
  else await replaceFile(resolve(context.cwd, out), mapText(map));
  return ExitCode.done;
}
