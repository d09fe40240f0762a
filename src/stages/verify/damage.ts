import { blobPrefix } from "../../model/bundle.ts";
import type { Digest } from "../../model/digest.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { Contents } from "./contents.ts";
import type { Block, OpenedBundle, Range, VerifyPorts } from "./ports.ts";

/** An entry that is not what SHA256SUMS says. */
export interface Damaged extends Range {
  readonly name: string;
  readonly wanted: string;
  /** Its sha256, or the code of the error that reading it gave. */
  readonly got: string;
}

export function damageFindings(
  bundle: OpenedBundle,
  damaged: readonly Damaged[],
  { users }: Contents,
): readonly Finding[] {
  return damaged.map(({ name, wanted, got, offset, size }) => {
    if (!name.startsWith(blobPrefix)) return finding("error", "bundle.file-damaged", { file: name, wanted, got });
    const digest = `sha256:${wanted}` as Digest;
    const items = (users.get(digest) ?? []).join(", ");
    const [first, last] = [bundle.source.partAt(offset), bundle.source.partAt(offset + Math.max(0, size - 1))];
    const volume = first === last ? first : `${first} – ${last}`;
    return finding("error", "bundle.blob-damaged", { digest, got, items, volume });
  });
}

/**
 * Says where in which volume, from the blocks' own sums: only those that a damaged entry lies in are read again.
 * Blocks that follow each other are one finding.
 */
export async function locate(
  damaged: readonly Damaged[],
  { users }: Contents,
  ports: VerifyPorts,
): Promise<readonly Finding[]> {
  const suspects = (ports.blocks ?? []).filter((block) => damaged.some((each) => overlap(block, each)));
  if (suspects.length === 0) return [];
  const hashes = await ports.hashRanges(suspects, () => undefined);
  const bad = suspects.filter((block, index) => hashes[index] !== block.sha256);
  return runs(bad).map(([first, last]) => {
    const range = { offset: first.offset, size: last.offset + last.size - first.offset };
    const hit = damaged.filter((each) => overlap(range, each));
    const items = hit.flatMap(({ wanted }) => users.get(`sha256:${wanted}` as Digest) ?? []);
    const facts = { volume: first.volume, from: first.at, to: last.at + last.size };
    return finding("error", "bundle.volume-damaged", { ...facts, items: [...new Set(items)].join(", ") });
  });
}

function runs(blocks: readonly Block[]): readonly (readonly [Block, Block])[] {
  const found: [Block, Block][] = [];
  for (const block of blocks) {
    const run = found.at(-1);
    if (run?.[1].volume === block.volume && run[1].at + run[1].size === block.at) run[1] = block;
    else found.push([block, block]);
  }
  return found;
}

function overlap(a: Range, b: Range): boolean {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}
