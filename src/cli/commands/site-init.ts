import { basename, dirname, resolve } from "node:path";
import { readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { Site } from "../../model/site.ts";
import { siteFile } from "../../ui/files.ts";
import { catalogueOf } from "../../ui/language.ts";
import type { Context } from "../context.ts";
import { text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { answer, refuseBeforeQuestions, writeNewFiles } from "../wire/new-files.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { words } = catalogueOf(context.language);
  const out = resolve(context.cwd, text(flags, "out") ?? "site.yaml");
  const overwrite = truth(flags, "overwrite");
  await refuseBeforeQuestions(out, { overwrite, context });
  const host = text(flags, "registry-host") ?? (await answer(context, words["ask-host"], "harbor.corp.example"));
  const project = text(flags, "project") ?? (await answer(context, words["ask-project"], "higress"));
  const schema = "site.schema.json";
  const kubeconfig = text(flags, "kubeconfig");
  const content = siteFile(
    {
      file: basename(out),
      schema,
      host,
      project,
      // Paths in the file are relative to it, paths on the command line to where we are.
      kubeconfig: kubeconfig === undefined ? undefined : resolve(context.cwd, kubeconfig),
    },
    context.language,
  );
  parseConfig(content, out, Site);
  await writeNewFiles(
    dirname(out),
    [
      { name: basename(out), text: content },
      { name: schema, text: await readAsset(`manifests/schema/${schema}`) },
    ],
    { overwrite, context },
  );
  return ExitCode.done;
}
