import type { Graph as ContentGraph } from "../../../src/content/graph.ts";
import { MemoryStore } from "../../../src/content/memory.ts";
import type { Descriptor } from "../../../src/model/descriptor.ts";
import { digestOf, type Digest } from "../../../src/model/digest.ts";
import { isManifest, MediaType } from "../../../src/model/media-type.ts";

/** A root and everything below it, by digest; what is damaged or missing on purpose is damaged or missing here. */
export interface Graph {
  readonly root: Descriptor;
  /** Every node that the root reaches, itself included: children before parents, each once. */
  readonly nodes: readonly Descriptor[];
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** One blob. Text is its content; a number is that many bytes, always the same ones. */
export function aBlob(
  content: string | number | Uint8Array = "a blob",
  mediaType: string = MediaType.ociLayerGzip,
): Graph {
  const bytes = typeof content === "number" ? noise(content) : Buffer.from(content);
  const root = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  return { root, nodes: [root], blobs: new Map([[root.digest, bytes]]) };
}

/** A JSON document over children that it names. */
export function aParent(
  mediaType: string,
  children: readonly Graph[],
  document: (...children: readonly Descriptor[]) => object,
): Graph {
  const content = { schemaVersion: 2, mediaType, ...document(...children.map((child) => child.root)) };
  const self = aBlob(JSON.stringify(content), mediaType);
  const nodes = new Map([...children.flatMap((child) => child.nodes), self.root].map((node) => [node.digest, node]));
  const blobs = new Map([...children.flatMap((child) => [...child.blobs]), ...self.blobs]);
  return { root: self.root, nodes: [...nodes.values()], blobs };
}

/** The bytes of a node. @throws Error for one that the graph does not have */
export function bytesOf(graph: Graph, digest: Digest = graph.root.digest): Uint8Array {
  const bytes = graph.blobs.get(digest);
  if (bytes === undefined) throw new Error(`the graph has no ${digest}`);
  return bytes;
}

/** A store that holds these graphs. */
export function aStore(...graphs: readonly Graph[]): MemoryStore {
  const store = new MemoryStore();
  for (const graph of graphs) for (const [digest, bytes] of graph.blobs) store.put(digest, bytes);
  return store;
}

/** The same graph as the product sees it. */
export function asContent(graph: Graph): ContentGraph {
  const manifests = graph.nodes.filter((node) => isManifest(node.mediaType));
  return {
    root: graph.root,
    manifests: manifests.map((descriptor) => ({ descriptor, bytes: bytesOf(graph, descriptor.digest) })),
    blobs: graph.nodes.filter((node) => !isManifest(node.mediaType)),
  };
}

/** Bytes that do not compress and are the same in every run: a xorshift over the index. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 0x9e3779b9 ^ size;
  for (let at = 0; at + 4 <= size; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  return bytes;
}
