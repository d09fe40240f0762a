import { gzipSync } from "node:zlib";
import { Header } from "tar";

import { MediaType } from "../../../src/model/media-type.ts";
import { aBlob, aParent, type Graph } from "../builders/graph.ts";
import { emptyModule } from "../builders/plugins.ts";

export const wasmToOci = "application/vnd.wasm.content.layer.v1+wasm";
const markdown = "application/vnd.module.wasm.doc.v1+markdown";
export const ociTar = "application/vnd.oci.image.layer.v1.tar";
export const ociZstd = "application/vnd.oci.image.layer.v1.tar+zstd";

/** A module that is not any other: it has a section of its own name. */
export const module = (name: string): Buffer => {
  const text = Buffer.from(name.padEnd(40, "."));
  return Buffer.concat([emptyModule, Buffer.from([0, text.length + 2, 1, 0x78]), text]);
};

export interface Member {
  readonly path: string;
  readonly type?: "File" | "OldFile" | "Directory" | "SymbolicLink" | "Link" | "CharacterDevice" | "ContiguousFile";
  readonly body?: Uint8Array;
}

const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);

export function tarOf(members: readonly Member[], { ends = true } = {}): Buffer {
  const entries = members.flatMap(({ path, type = "File", body = Buffer.alloc(0) }) => {
    const header = Buffer.alloc(512);
    const linkpath = type.endsWith("Link") ? { linkpath: "a" } : {};
    new Header({ path, size: body.length, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type, ...linkpath }).encode(
      header,
    );
    return [header, padded(body)];
  });
  return Buffer.concat([...entries, ...(ends ? [Buffer.alloc(1024)] : [])]);
}

/** A pax header that gives the next entry another name. */
export function renamed(name: string): Buffer {
  const record = ` path=${name}\n`;
  const text = Buffer.from(`${String(record.length + 2)}${record}`);
  const header = Buffer.alloc(512);
  new Header({ path: "PaxHeader", size: text.length, mode: 0o644, mtime: new Date(0), type: "ExtendedHeader" }).encode(
    header,
  );
  return Buffer.concat([header, padded(text)]);
}

export const gz = (bytes: Uint8Array): Buffer => gzipSync(bytes, { level: 6 });
export const layer = (bytes: Uint8Array, mediaType: string = MediaType.ociLayerGzip): Graph => aBlob(bytes, mediaType);
export const packed = (...members: readonly Member[]): Graph => layer(gz(tarOf(members)));
export const raw = (mediaType: string = MediaType.wasmContent, name = "raw"): Graph => aBlob(module(name), mediaType);
export const document = (text = "# README\n"): Graph => aBlob(text, markdown);
const config = (): Graph => aBlob("{}", MediaType.ociEmpty);

export function image(
  layers: readonly Graph[],
  mediaType: string = MediaType.ociManifest,
  says?: string | null,
): Graph {
  return aParent(mediaType, [config(), ...layers], (first, ...rest) => ({
    ...(says === undefined ? {} : { mediaType: says ?? undefined }),
    config: first,
    layers: rest,
  }));
}

export const docker = (...layers: readonly Graph[]): Graph => image(layers, MediaType.dockerManifest);
export const good = (name = "good"): Graph => image([document("{}"), raw(MediaType.wasmContent, name)]);

type Child = readonly [platform: object | undefined, graph: Graph];
export const index = (children: readonly Child[], mediaType: string = MediaType.ociIndex): Graph =>
  aParent(
    mediaType,
    children.map(([, graph]) => graph),
    (...manifests) => ({
      manifests: manifests.map((each, at) => {
        const platform = children[at]?.[0];
        return platform === undefined ? each : { ...each, platform };
      }),
    }),
  );
export const amd64 = { os: "linux", architecture: "amd64" };
export const arm64 = { os: "linux", architecture: "arm64" };
export const nested = (depth: number): Graph => (depth === 0 ? good("deep") : index([[amd64, nested(depth - 1)]]));
