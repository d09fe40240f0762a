import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { HelmChartSource } from "./helm.ts";

/**
 * Gives `use` the `-f` arguments of a chart: the user's files first, then the values, each in a file that only we can
 * read and that is gone afterwards. They are JSON: it is YAML, and no YAML printer decides what `yes` means.
 */
export async function withValues<T>(
  folder: string,
  source: HelmChartSource,
  use: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  const made = source.values.map((values) => ({ path: join(folder, `values-${randomUUID()}.json`), values }));
  try {
    for (const { path, values } of made) await writeFile(path, JSON.stringify(values), { mode: 0o600, flag: "wx" });
    const files = [...source.valuesFiles.map((path) => resolve(path)), ...made.map(({ path }) => path)];
    return await use(files.flatMap((path) => ["-f", path]));
  } finally {
    await Promise.all(made.map(({ path }) => rm(path, { force: true })));
  }
}
