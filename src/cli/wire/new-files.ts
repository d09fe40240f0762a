import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { Context } from "../context.ts";

export interface NewFile {
  readonly name: string;
  readonly text: string;
  /** @default what the umask leaves */
  readonly mode?: number | undefined;
}

/**
 * Writes files that belong together: all of them, or none when one of them is there with other content.
 * @throws Failure FILE_EXISTS
 */
export async function writeNewFiles(
  folder: string,
  files: readonly NewFile[],
  options: { readonly overwrite: boolean; readonly context: Context },
): Promise<void> {
  const there = await Promise.all(files.map(({ name }) => readFile(join(folder, name), "utf8").catch(() => undefined)));
  for (const [at, { name, text }] of files.entries())
    if (there[at] !== undefined && there[at] !== text && !options.overwrite)
      throw new Failure("FILE_EXISTS", { path: join(folder, name) });
  for (const { name, text, mode } of files) {
    const path = join(folder, name);
    await write(path, text, mode);
    options.context.reporter.report({ type: "note", text: "saved", facts: { path } });
  }
}

async function write(path: string, text: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.partial`, text);
    if (mode !== undefined) await chmod(`${path}.partial`, mode);
    await rename(`${path}.partial`, path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "";
    throw new Failure("FILE_UNWRITABLE", { path, reason }, { cause });
  }
}

/** What a person answers, or `fallback` where nobody can be asked or nothing was typed. */
export async function answer(context: Context, question: string, fallback: string): Promise<string> {
  const typed = (await context.ask?.(`${question} [${fallback}]: `))?.trim() ?? "";
  return typed === "" ? fallback : typed;
}
