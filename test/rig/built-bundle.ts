import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll } from "vitest";
import type { Graph } from "./builders/graph.ts";
import { cli } from "./cli.ts";
import { aDockerRegistry } from "./registry-process.ts";
import { sampleContent, writeSampleSpec } from "./sample-site.ts";
import { seed } from "./seed.ts";
import { aTempDirectory } from "./temp-directory.ts";
import { tools } from "./tools.ts";

export interface BuiltBundleOptions {
  readonly folder: string;
  /** Carried besides the sample, by reference. */
  readonly content?: Readonly<Record<string, Graph>>;
  /** Lays these over the sample's spec. */
  readonly spec?: (sample: Record<string, unknown>) => Readonly<Record<string, unknown>>;
  readonly env?: Record<string, string>;
}

/** The sample bundle, built by the built program from a registry that is gone afterwards. Returns its path. */
export async function aBuiltBundle({ folder, content = {}, spec, env }: BuiltBundleOptions): Promise<string> {
  await using source = await aDockerRegistry();
  await seed(source.url, { ...sampleContent(), ...content });
  const path = await writeSampleSpec(folder, source.url);
  const sample = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...sample, ...spec?.(sample) }));
  const bundle = join(folder, "bundle.tar");
  const { helm } = await tools("3.17");
  const built = await cli(["build", path, "--out", bundle, "--helm", helm], { cwd: folder, ...(env && { env }) });
  if (built.exitCode !== 0) throw new Error(`build: ${String(built.exitCode)}\n${built.stdout}\n${built.stderr}`);
  return bundle;
}

/** One for all tests of a file, unless they cannot run here; its path is there when the first of them begins. */
export function builtForAll(
  unavailable: string | undefined,
  options: Omit<BuiltBundleOptions, "folder"> = {},
): { readonly bundle: string } {
  const built = { bundle: "" };
  beforeAll(async () => {
    if (unavailable !== undefined) return;
    const folder = await aTempDirectory();
    built.bundle = await aBuiltBundle({ folder: folder.path, ...options });
    return () => folder[Symbol.asyncDispose]();
  }, 120_000);
  return built;
}
