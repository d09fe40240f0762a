import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HelmChartSource } from "./helm.ts";

/**
 * Gives `use` the `-f` arguments of a chart, each layer in a file that only we can read and that is gone afterwards.
 * Objects go as JSON: it is YAML, and no YAML printer decides what `yes` means. Text goes as it is, for helm to read.
 */
export async function withValues<T>(
  folder: string,
  { values }: HelmChartSource,
  use: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  const made = values.map((layer) =>
    typeof layer === "string"
      ? { path: join(folder, `values-${randomUUID()}.yaml`), text: layer }
      : { path: join(folder, `values-${randomUUID()}.json`), text: JSON.stringify(layer) },
  );
  try {
    for (const { path, text } of made) await writeFile(path, text, { mode: 0o600, flag: "wx" });
    return await use(made.flatMap(({ path }) => ["-f", path]));
  } finally {
    await Promise.all(made.map(({ path }) => rm(path, { force: true })));
  }
}
