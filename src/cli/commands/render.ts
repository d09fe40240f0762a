import { resolve } from "node:path";
import { loadSite, parseRelocationMap } from "../../edge/files/config.ts";
import { openHelm } from "../../edge/process/helm.ts";
import { hasErrors } from "../../model/finding.ts";
import { proveAll, renderAll, type ProofResult, type Rendered } from "../../pipeline/prove.ts";
import { relocate } from "../../pipeline/relocated.ts";
import { mergeValues } from "../../stages/relocate/relocate.ts";
import { canonicalJson, type Json } from "../../std/canonical-json.ts";
import type { Context } from "../context.ts";
import { required, text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openBundles } from "../wire/bundle.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { chartCrds, readValues, withFile } from "../wire/install-ports.ts";
import { findTool } from "../wire/tools.ts";

/** Renders without a cluster, for people who hand manifests to another team: one folder, one file a phase, and the proof. */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const site = await loadSite(resolve(context.cwd, required(flags, "site")));
  await using bundle = await openBundles(required(flags, "bundle"), [], context);
  await using helm = await openHelm(await findTool("helm", text(flags, "helm") ?? site.cluster.helm, context), {
    env: context.env,
  });
  const relocated = await relocate(bundle, site, {
    parseRelocation: parseRelocationMap,
    userValues: await readValues(site),
  });
  const ports = { helm, withFile, chartCrds };
  const rendered = await renderAll(relocated, bundle, ports, {
    offline: bundle.document.kubeVersion,
    signal: context.signal,
  });
  const proof = proveAll(rendered, relocated, site);
  for (const found of proof.findings) context.reporter.report({ type: "finding", finding: found });
  const out = text(flags, "out");
  if (out === undefined) context.stdout.write(rendered.map(({ manifest }) => manifest).join("\n---\n"));
  else await writeRendered(resolve(context.cwd, out), rendered, proof, context);
  return hasErrors(proof.findings) ? ExitCode.findings : ExitCode.done;
}

async function writeRendered(
  folder: string,
  rendered: readonly Rendered[],
  proof: ProofResult,
  context: Context,
): Promise<void> {
  const files = [
    ...rendered.flatMap(({ chart, manifest, crds }) => [
      { name: `1-crds-${chart.name}.yaml`, text: crds.join("\n---\n") },
      { name: `2-values-${chart.name}.json`, text: canonicalJson(mergeValues(...chart.values) as Json) },
      { name: `3-release-${chart.name}.yaml`, text: manifest },
    ]),
    { name: "proof.json", text: canonicalJson({ ...proof } as unknown as Json) },
  ];
  await writeNewFiles(folder, files, { overwrite: true, context });
}
