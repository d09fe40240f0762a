import type { Descriptor } from "../../src/model/descriptor.ts";
import type { Digest } from "../../src/model/digest.ts";
import type { ItemKind } from "../../src/model/lock.ts";
import type { PackInput, PlannedBlob, SmallFile } from "../../src/stages/bundle/ports.ts";
import { anImage, anIndex, aWasmPlugin, type Seed } from "./graph.ts";
import { aLockItem } from "./lock-item.ts";

export interface SeededItem {
  readonly kind: ItemKind;
  readonly reference: string;
  readonly seed: Seed;
  readonly platforms?: readonly string[];
  readonly role?: string;
}

/** Two images that share a layer, and a plugin. */
export const someItems: readonly SeededItem[] = [
  {
    kind: "image",
    reference: "registry.example/higress/gateway:2.2.4",
    seed: anIndex([
      anImage({ layers: [{ base: "base" }, { a: "a".repeat(3000) }] }),
      anImage({ architecture: "arm64", layers: [{ base: "base" }, { b: "b".repeat(9000) }] }),
    ]),
    platforms: ["linux/amd64", "linux/arm64"],
  },
  {
    kind: "image",
    reference: "registry.example/higress/console:2.2.4",
    seed: anImage({ layers: [{ base: "base" }, { c: "c" }] }),
    platforms: ["linux/amd64"],
  },
  { kind: "plugin", reference: "registry.example/plugins/key-auth:2.0.0", seed: aWasmPlugin(), platforms: [] },
];

export const someFiles: readonly SmallFile[] = [
  { name: "install.sh", bytes: Buffer.from("#!/bin/sh\n"), mode: 0o755 },
  { name: "README.txt", bytes: Buffer.from("Read me.\n") },
  { name: "charts/higress-2.2.4.tgz", bytes: Buffer.alloc(1024, 7) },
  { name: "manifests/bundle.yaml", bytes: Buffer.from("kind: BundleSpec\n") },
];

export interface InputOptions extends Partial<Omit<PackInput, "lock" | "blobs">> {
  readonly items?: readonly SeededItem[];
  /** How blobs are read; the whole content at once unless told. */
  readonly open?: (descriptor: Descriptor, bytes: Uint8Array, offset: number) => AsyncIterable<Uint8Array>;
  readonly host?: (descriptor: Descriptor) => string;
}

/** What `pack` is given, out of content that is in memory. */
export function aPackInput({ items = someItems, open = whole, host, ...rest }: InputOptions = {}): PackInput {
  const lockItems = items.map(({ reference, seed, kind, platforms = [], role }) => ({
    ...aLockItem(reference, seed, { kind, platforms }),
    ...(role === undefined ? {} : { role }),
  }));
  return {
    lock: {
      lockVersion: 1,
      name: "higress",
      version: "2.2.4",
      platforms: ["linux/amd64", "linux/arm64"],
      kubeVersion: "1.30.0",
      created: "2026-01-02T03:04:05Z",
      items: lockItems,
      files: [],
    },
    blobs: blobsOf(items, open, host ?? (() => "registry.example")),
    files: someFiles,
    largeFiles: [],
    tool: { name: "higress-airgap", version: "0.0.0" },
    ...rest,
  };
}

function blobsOf(
  items: readonly SeededItem[],
  open: NonNullable<InputOptions["open"]>,
  host: (descriptor: Descriptor) => string,
): readonly PlannedBlob[] {
  const blobs = new Map<Digest, { bytes: Uint8Array; names: string[] }>();
  for (const { seed, reference } of items) {
    for (const [digest, bytes] of seed.blobs) {
      const known = blobs.get(digest) ?? { bytes, names: [] };
      known.names.push(reference);
      blobs.set(digest, known);
    }
  }
  return [...blobs].map(([digest, { bytes, names }]) => {
    const descriptor = { mediaType: "application/octet-stream", digest, size: bytes.byteLength };
    return { descriptor, host: host(descriptor), names, open: (offset) => open(descriptor, bytes, offset) };
  });
}

// eslint-disable-next-line @typescript-eslint/require-await -- memory has nothing to wait for
async function* whole(_descriptor: Descriptor, bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(offset);
}
