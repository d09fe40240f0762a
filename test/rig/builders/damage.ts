import type { Digest } from "../../../src/model/digest.ts";
import { bytesOf, type Graph } from "./graph.ts";

/** One bit of a blob is not what it was: same size, same name, another content. */
export function flipped(graph: Graph, digest: Digest, at = 0): Graph {
  const bytes = Buffer.from(bytesOf(graph, digest));
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return replaced(graph, digest, bytes);
}

/** Cut after `size` bytes. */
export function truncated(graph: Graph, digest: Digest, size: number): Graph {
  return replaced(graph, digest, bytesOf(graph, digest).subarray(0, size));
}

function replaced(graph: Graph, digest: Digest, bytes: Uint8Array): Graph {
  return { ...graph, blobs: new Map(graph.blobs).set(digest, bytes) };
}
