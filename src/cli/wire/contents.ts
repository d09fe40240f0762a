import { readGraph } from "../../content/graph.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import type { ItemContent } from "../../stages/inspect/space.ts";

/**
 * The blobs of every item, read from its manifests. Of a delta, whose manifests may be on the other side, what can be
 * read here is listed: a page about it says what this file holds.
 */
export async function itemContents(bundle: Bundle, signal: AbortSignal): Promise<readonly ItemContent[]> {
  const contents: ItemContent[] = [];
  for (const item of bundle.document.items) {
    if (!bundle.hasBlob(item.root.digest)) {
      contents.push({ item, blobs: [] });
      continue;
    }
    const missing = bundle.document.delta !== undefined;
    const graph = await readGraph(bundle, item.root, "bundle", signal).catch((error: unknown) => {
      if (missing) return undefined;
      throw error;
    });
    const manifests = graph?.manifests.map(({ descriptor }) => descriptor) ?? [item.root];
    contents.push({ item, blobs: [...(graph?.blobs ?? []), ...manifests] });
  }
  return contents;
}
