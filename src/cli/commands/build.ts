import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { bundleOutput } from "../../edge/disk/bundle-output.ts";
import { signer } from "../../edge/disk/signature.ts";
import { loadBundleSpec } from "../../edge/files/config.ts";
import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import type { BundleSpec } from "../../model/spec.ts";
import { build } from "../../pipeline/build.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { parseBytes, printBytes } from "../../std/bytes.ts";
import type { Context } from "../context.ts";
import { required, text, texts, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { tool } from "../version.ts";
import { buildPorts } from "../wire/build-ports.ts";
import { bundleExtras } from "../wire/extras.ts";
import { registryPool } from "../wire/registries.ts";
import { specFiles } from "../wire/spec-files.ts";
import { findTool } from "../wire/tools.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const specPath = resolve(context.cwd, required(flags, "spec"));
  const spec = withPlatforms(await loadBundleSpec(specPath), texts(flags, "platform"));
  const out = resolve(context.cwd, text(flags, "out") ?? `${spec.name}-${spec.version}.tar`);
  const concurrency = wholeNumber(flags, "concurrency", 1, 64) ?? 8;
  const key = text(flags, "sign-key");
  const files = await specFiles(spec);
  await using pool = registryPool(
    { registries: spec.registries, baseDirectory: dirname(specPath), side: "source", concurrency },
    context,
  );
  const output = bundleOutput(out, {
    volumeSize: volumeSize(text(flags, "volume-size")),
    overwrite: truth(flags, "overwrite"),
    ...(truth(flags, "in-order") ? { inOrder: true } : {}),
  });
  const helm = spec.charts.length === 0 ? undefined : await findTool("helm", text(flags, "helm"), context);
  const ports = await buildPorts({ spec, helm, output, manifests: files.manifests }, pool, context);
  const result = await build(
    {
      spec,
      specText: await readFile(specPath, "utf8"),
      ...files,
      extras: await bundleExtras(),
      tool,
      epoch: epoch(context.env["SOURCE_DATE_EPOCH"]),
      ...(key === undefined ? {} : { sign: await signer(resolve(context.cwd, key)) }),
    },
    ports,
    {
      report: context.reporter.report,
      signal: context.signal,
      concurrency,
      allowMissing: truth(flags, "allow-missing"),
    },
  );
  await writeBeside(`${out}.lock.json`, canonicalJson(result.lock));
  context.reporter.report({ type: "note", text: "written", facts: { path: out, size: printBytes(result.size) } });
  return hasErrors(context.reporter.findings) ? ExitCode.findings : ExitCode.done;
}

function withPlatforms(spec: BundleSpec, platforms: readonly string[]): BundleSpec {
  return platforms.length === 0 ? spec : { ...spec, platforms: [...platforms] };
}

/** A volume holds at least one block of 4 MiB; smaller ones would be mostly bookkeeping. */
function volumeSize(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = parseBytes(value);
  if (bytes === undefined || bytes < 4 * 1024 ** 2)
    throw new Failure("USAGE", { what: `--volume-size ${value}: >= 4MiB` });
  return bytes;
}

function epoch(value: string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  if (!/^\d{1,12}$/.test(value)) throw new Failure("USAGE", { what: `SOURCE_DATE_EPOCH=${value}` });
  return Number(value);
}

async function writeBeside(path: string, content: string): Promise<void> {
  await writeFile(`${path}.partial`, content);
  await rename(`${path}.partial`, path);
}
