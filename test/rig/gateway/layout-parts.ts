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

/** An entry of the types that only speak of others; `tar` writes none of them by itself. */
function speaking(
  type: "ExtendedHeader" | "GlobalExtendedHeader" | "NextFileHasLongPath",
  path: string,
  text: Buffer,
): Buffer {
  const header = Buffer.alloc(512);
  new Header({ path, size: text.length, mode: 0o644, mtime: new Date(0), type }).encode(header);
  return Buffer.concat([header, padded(text)]);
}

/** Records of pax, each of which begins with its own length. */
function records(of: Readonly<Record<string, string | number>>): Buffer {
  const lines = Object.entries(of).map(([key, value]) => {
    const rest = ` ${key}=${String(value)}\n`;
    const length = [2, 3]
      .map((digits) => rest.length + digits)
      .find((each) => String(each).length + rest.length === each);
    return `${String(length)}${rest}`;
  });
  return Buffer.from(lines.join(""));
}

/** A pax header that gives the next entry another name, or says more of it. */
export const renamed = (name: string, more: Readonly<Record<string, string | number>> = {}): Buffer =>
  speaking("ExtendedHeader", "PaxHeader", records({ path: name, ...more }));

/** What pax says of all entries that follow: a comment, as `git archive` writes it, or names. */
export const ofAll = (of: Readonly<Record<string, string>>, path = "pax_global_header"): Buffer =>
  speaking("GlobalExtendedHeader", path, records(of));

export const longName = (name: string): Buffer =>
  speaking("NextFileHasLongPath", "././@LongLink", Buffer.from(`${name}\0`));

/** GNU tar's file with holes: of 8 KiB only the last bytes are stored, behind a map (pax 1.0) or with it in the header. */
export function sparse(path: string, name: string, how: "pax 1.0" | "pax 0.1" | "old", blocks = 0): Buffer {
  const content = module(name);
  const size = 8192;
  const at = size - content.length;
  const dot = path.lastIndexOf("/") + 1;
  const hidden = `${path.slice(0, dot)}GNUSparseFile.0/${path.slice(dot)}`;
  if (how === "pax 1.0") {
    const map = padded(Buffer.from(`1\n${String(at)}\n${String(content.length)}\n`));
    const said = { "GNU.sparse.major": 1, "GNU.sparse.minor": 0, "GNU.sparse.name": path, "GNU.sparse.realsize": size };
    const entry = tarOf([{ path: hidden, body: Buffer.concat([map, content]) }], { ends: false });
    return Buffer.concat([speaking("ExtendedHeader", "PaxHeader", records(said)), entry]);
  }
  if (how === "pax 0.1") {
    const map = `${String(at)},${String(content.length)}`;
    const said = { "GNU.sparse.size": size, "GNU.sparse.numblocks": 1, "GNU.sparse.name": path, "GNU.sparse.map": map };
    const entry = tarOf([{ path: hidden, body: content }], { ends: false });
    return Buffer.concat([speaking("ExtendedHeader", "PaxHeader", records(said)), entry]);
  }
  const [header, body] = [tarOf([{ path, body: content }], { ends: false }).subarray(0, 512), padded(content)];
  const octal = (value: number): string => value.toString(8).padStart(11, "0");
  header.write("S", 156);
  header.write("ustar  \0", 257, "latin1");
  header.fill(0, 345, 500);
  header.write(`${octal(at)}\0${octal(content.length)}\0`, 386, "latin1");
  header[482] = blocks > 0 ? 1 : 0;
  header.write(`${octal(size)}\0`, 483, "latin1");
  const more = Array.from({ length: blocks }, (_, each) => {
    const block = Buffer.alloc(512);
    block[504] = each < blocks - 1 ? 1 : 0;
    return block;
  });
  return Buffer.concat([summed(header), ...more, body]);
}

/** With its sum, after a byte of it was changed. */
function summed(header: Buffer): Buffer {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
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

/** With annotations everywhere, and a type of its own: words that nobody on the way may take for more. */
export function annotated(...layers: readonly Graph[]): Graph {
  const annotations = { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1", title: "plugin.wasm" };
  return aParent(MediaType.ociManifest, [config(), ...layers], (first, ...rest) => ({
    artifactType: "application/vnd.example",
    config: { ...first, annotations },
    layers: rest.map((each) => ({ ...each, annotations })),
    annotations,
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
