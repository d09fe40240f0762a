import { lstat, open, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { absent } from "./errors.ts";

interface Header {
  readonly journal: 1;
  readonly plan: string;
}

export type JournalLine =
  { readonly entry: string; readonly bytes: number; readonly complete?: true } | { readonly renaming: true };

/** A line of 200 bytes for each of a hundred thousand entries, and for what of them was begun. */
const maxJournal = 64 * 1024 ** 2;

/** What an earlier run of the same plan wrote down. */
export interface Remembered {
  readonly complete: ReadonlySet<string>;
  readonly partial: ReadonlyMap<string, number>;
  /** The run was renaming when it stopped: some parts may have their final names already. */
  readonly renaming: boolean;
}

/**
 * Reads a journal; `undefined` when it is another plan's, or none. Lines are appended whole, so the first one that
 * cannot be read is where the power went: what is after it is not believed.
 */
export async function readJournal(path: string, plan: string): Promise<Remembered | undefined> {
  const found = await lstat(path).catch(absent(path));
  // A link or a pipe is nothing that a journal was left as: it is replaced, and not read.
  if (found?.isFile() !== true || found.size > maxJournal) return undefined;
  const text = (await readFile(path, "utf8").catch(absent(path))) ?? "";
  const [first, ...lines] = text.split("\n").slice(0, -1);
  const header = parse(first ?? "") as Partial<Header> | undefined;
  if (header?.journal !== 1 || header.plan !== plan) return undefined;
  const complete = new Set<string>();
  const partial = new Map<string, number>();
  let renaming = false;
  for (const line of lines.map(parse)) {
    if (line === undefined) break;
    if ("renaming" in line) renaming = true;
    else remember(line as Exclude<JournalLine, { renaming: true }>, complete, partial);
  }
  return { complete, partial, renaming };
}

function remember(
  line: { readonly entry: string; readonly bytes: number; readonly complete?: true },
  complete: Set<string>,
  partial: Map<string, number>,
): void {
  partial.delete(line.entry);
  complete.delete(line.entry);
  if (line.complete === true) complete.add(line.entry);
  else if (line.bytes > 0) partial.set(line.entry, line.bytes);
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Appends to a journal. A line must be true before it is written: bytes first, then the line about them. */
export class Journal {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Starts over for `plan`, with what is still true of an earlier run. */
  static async start(path: string, plan: string, remembered?: Remembered): Promise<Journal> {
    const fresh = `${path}.new`;
    await rm(fresh, { force: true });
    const file = await open(fresh, "wx", 0o644);
    const journal = new Journal(file);
    const header: Header = { journal: 1, plan };
    await file.write(`${JSON.stringify(header)}\n`);
    await journal.append([
      ...[...(remembered?.complete ?? [])].map((entry) => ({ entry, bytes: 0, complete: true }) as const),
      ...[...(remembered?.partial ?? [])].map(([entry, bytes]) => ({ entry, bytes })),
    ]);
    // Renamed over the old one: a kill in between must not cost what the old one remembers.
    await rename(fresh, path);
    return journal;
  }

  async append(lines: readonly JournalLine[]): Promise<void> {
    if (lines.length === 0) return;
    await this.#file.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
