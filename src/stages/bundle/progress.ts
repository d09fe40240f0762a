import type { Report } from "../../model/event.ts";
import type { StreamSegment } from "./plan.ts";

/** Small pieces are reported together: one event per so many bytes of an item is plenty for any screen. */
const step = 256 * 1024;

interface Item {
  /** Bytes of the blobs that are counted under this name; a shared blob counts under the first. */
  size: number;
  blobs: number;
  fetched: number;
  unreported: number;
}

/** Turns blobs that move into items that get done. */
export class ItemProgress {
  readonly #items = new Map<string, Item>();
  readonly #report: Report;

  constructor(segments: readonly StreamSegment[], report: Report) {
    this.#report = report;
    for (const { entry } of segments) {
      for (const name of entry.names) this.#item(name).blobs += 1;
      this.#item(entry.names[0] ?? entry.name).size += entry.size;
    }
  }

  /** Says what is left to do. */
  start(left: readonly StreamSegment[], bytes: number): void {
    const items = new Set(left.flatMap(({ entry }) => entry.names)).size;
    this.#report({ type: "transfer", phase: "pack", items, bytes });
  }

  moved({ entry }: StreamSegment, bytes: number): void {
    const name = entry.names[0] ?? entry.name;
    const item = this.#item(name);
    item.unreported += bytes;
    item.fetched += bytes;
    if (item.unreported >= step) this.#flush(name, item);
  }

  done({ entry }: StreamSegment): void {
    for (const name of entry.names) {
      const item = this.#item(name);
      item.blobs -= 1;
      if (item.blobs > 0) continue;
      this.#flush(name, item);
      const state = item.fetched === 0 ? "present" : "done";
      this.#report({ type: "item", phase: "pack", name, bytes: item.size, state });
    }
  }

  #flush(name: string, item: Item): void {
    if (item.unreported === 0) return;
    this.#report({ type: "moved", phase: "pack", name, bytes: item.unreported, size: item.size });
    item.unreported = 0;
  }

  #item(name: string): Item {
    const known = this.#items.get(name) ?? { size: 0, blobs: 0, fetched: 0, unreported: 0 };
    this.#items.set(name, known);
    return known;
  }
}
