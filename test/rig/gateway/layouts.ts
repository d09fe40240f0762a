import { MediaType } from "../../../src/model/media-type.ts";
import type { Graph } from "../builders/graph.ts";
import { pick, type Random } from "../mutate.ts";
import {
  amd64,
  annotated,
  arm64,
  docker,
  document,
  good,
  gz,
  image,
  index,
  layer,
  longName,
  module,
  nested,
  ofAll,
  ociTar,
  ociZstd,
  packed,
  raw,
  renamed,
  sparse,
  tarOf,
  wasmToOci,
  type Member,
} from "./layout-parts.ts";

const file = (path = "plugin.wasm", name = "packed"): Member => ({ path, body: module(name) });
const folder = (path: string): Member => ({ path, type: "Directory" });
const whole = gz(tarOf([file()]));
/** Entries as they are, and the module or another file behind them. */
const behind = (entry: Buffer, member?: Member): Graph =>
  image([layer(gz(Buffer.concat([entry, tarOf(member === undefined ? [] : [member])])))]);
/** So long that its end lies in other blocks of the compressed stream than the module. */
const rest: Member = { path: "rest", body: Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * at) % 251)) };
const long = gz(tarOf([file(), rest]));

/** Plugins by how they are laid out; some of them as nobody should lay them out. */
export const layouts: Readonly<Record<string, Graph>> = {
  "two raw layers": good(),
  "the module first of two": image([raw(), document()]),
  "the module twice": image([raw(MediaType.wasmContent, "one"), raw(MediaType.wasmContent, "two")]),
  "no layer": image([]),
  "one raw layer": image([raw()]),
  "three layers, one of them raw": image([document(), document("{}"), raw()]),
  "a type of wasm-to-oci": image([document(), raw(wasmToOci)]),
  "a type of the CNCF": image([document(), raw("application/wasm")]),
  "a manifest that does not say its type": image([document(), raw()], MediaType.ociManifest, null),
  "a docker manifest that does not say its type": image([packed(file())], MediaType.dockerManifest, null),
  "a docker manifest of raw layers that does not say its type": image(
    [document(), raw()],
    MediaType.dockerManifest,
    null,
  ),
  "a tar alone": image([packed(file())]),
  "a tar behind a document": image([document(), packed(file())]),
  "a tar before a document": image([packed(file()), document()]),
  "a tar behind two documents": image([document(), document("{}"), packed(file())]),
  "a tar in docker's type": docker(layer(whole, MediaType.dockerLayerGzip)),
  "two tars in docker's type, the last without": docker(
    layer(whole, MediaType.dockerLayerGzip),
    layer(gz(tarOf([file("a")])), MediaType.dockerLayerGzip),
  ),
  "OCI's tar in a docker manifest": docker(packed(file())),
  "docker's tar in an OCI manifest": image([layer(whole, MediaType.dockerLayerGzip)]),
  "raw layers in a docker manifest": docker(document(), raw()),
  "a tar without gzip": image([layer(tarOf([file()]), ociTar)]),
  "a tar without gzip that says it has": image([layer(tarOf([file()]))]),
  "zstd by its type": image([layer(whole, ociZstd)]),
  "an empty tar": image([packed()]),
  "nothing as a tar": image([layer(Buffer.alloc(0))]),
  "a tar without the module": image([packed(file("main.wasm"))]),
  "a tar without the module, and a raw one before it": image([raw(), packed(file("main.wasm"))]),
  "a tar with another module, and a raw one before it": image([raw(), packed(file())]),
  "no gzip, and a raw module before it": image([raw(), layer(Buffer.from("no gzip at all"))]),
  "a damaged tar, and a raw module before it": image([raw(), layer(gz(Buffer.alloc(512, 7)))]),
  "a module in a folder": image([packed(folder("opt/"), file("opt/plugin.wasm"))]),
  "a module with ./ before it": image([packed(file("./plugin.wasm"))]),
  "a module with / before it": image([packed(file("/plugin.wasm"))]),
  "a module above": image([packed(file("../plugin.wasm"))]),
  "a name that ends like it": image([packed(file("my-plugin.wasm"))]),
  "a name in capitals": image([packed(file("PLUGIN.WASM"))]),
  "two modules": image([packed(file("a/plugin.wasm", "first"), file("plugin.wasm", "second"))]),
  "a folder named plugin.wasm": image([packed(folder("plugin.wasm/"), file("opt/plugin.wasm"))]),
  "a folder named plugin.wasm with the module in it": image([packed(folder("plugin.wasm/"), file("plugin.wasm/a"))]),
  "a folder of that name behind it": image([packed(file(), folder("opt/plugin.wasm/"))]),
  "a link named plugin.wasm": image([packed(file("a"), { path: "plugin.wasm", type: "SymbolicLink" })]),
  "a hard link named plugin.wasm": image([packed(file("a"), { path: "plugin.wasm", type: "Link" })]),
  "a device named plugin.wasm": image([packed({ path: "plugin.wasm", type: "CharacterDevice" })]),
  "an old file": image([packed({ ...file(), type: "OldFile" })]),
  "a contiguous file": image([packed({ ...file(), type: "ContiguousFile" })]),
  "an empty module": image([packed({ path: "plugin.wasm" })]),
  "a module renamed by pax": behind(renamed("opt/plugin.wasm"), file("a")),
  "a module renamed away by pax": behind(renamed("opt/a"), file()),
  "a module renamed twice by pax": behind(Buffer.concat([renamed("a"), renamed("opt/plugin.wasm")]), file("b")),
  "a module whose size pax says": behind(renamed("plugin.wasm", { size: 50 }), file("a")),
  "a comment of pax for all": behind(ofAll({ comment: "0123abc" }), file()),
  "a name of pax for all": behind(ofAll({ path: "plugin.wasm" }), file("a")),
  "a name of pax for all, and a module": behind(ofAll({ path: "plugin.wasm" }), file()),
  "a header of pax for all that is called plugin.wasm": behind(ofAll({ comment: "x" }, "plugin.wasm"), file()),
  "a long name of GNU": behind(longName(`${"d/".repeat(90)}plugin.wasm`), file("a")),
  "a sparse module": behind(sparse("plugin.wasm", "s", "pax 1.0")),
  "a sparse module of pax 0.1": behind(sparse("plugin.wasm", "s", "pax 0.1")),
  "a sparse module of old": behind(sparse("plugin.wasm", "s", "old")),
  "a sparse file before the module": behind(sparse("opt/a", "s", "pax 1.0"), file()),
  "a sparse file of old before the module": behind(sparse("a", "s", "old"), file()),
  "a sparse file with a long map before the module": behind(sparse("a", "s", "old", 3), file()),
  "a name of 160 letters": image([packed(file(`${"a".repeat(80)}/${"b".repeat(68)}/plugin.wasm`))]),
  "no end blocks": image([layer(gz(tarOf([file()], { ends: false })))]),
  "an end block before it": image([layer(gz(Buffer.concat([Buffer.alloc(1024), tarOf([file()])])))]),
  "one block of zeros before it": image([layer(gz(Buffer.concat([Buffer.alloc(512), tarOf([file()])])))]),
  "a member cut off": image([layer(gz(tarOf([file()]).subarray(0, 530)))]),
  "a damaged header": image([layer(gz(Buffer.from(tarOf([file()])).fill(65, 100, 120)))]),
  "a damaged header behind it": image([
    layer(gz(Buffer.concat([tarOf([file()], { ends: false }), Buffer.alloc(512, 7)]))),
  ]),
  "two gzip members": image([layer(Buffer.concat([gz(tarOf([file("a")], { ends: false })), whole]))]),
  "two gzip members, the module in both": image([
    layer(Buffer.concat([gz(tarOf([file()]).subarray(0, 520)), gz(tarOf([file()]).subarray(520))])),
  ]),
  "bytes behind the gzip": image([layer(Buffer.concat([whole, Buffer.from("trailing bytes")]))]),
  "zeros behind the gzip": image([layer(Buffer.concat([whole, Buffer.alloc(64)]))]),
  "a gzip that ends in its trailer": image([layer(whole.subarray(0, -4))]),
  "a gzip that is cut behind the module": image([layer(long.subarray(0, long.length / 2))]),
  "a gzip that is cut in the module": image([layer(whole.subarray(0, 60))]),
  "a gzip with a wrong sum": image([
    layer(Buffer.concat([whole.subarray(0, -8), Buffer.alloc(4), whole.subarray(-4)])),
  ]),
  "an index": index([
    [amd64, good()],
    [arm64, good("other")],
  ]),
  "an index in docker's type": index([[amd64, docker(layer(whole, MediaType.dockerLayerGzip))]], MediaType.dockerList),
  "an index, amd64 behind": index([
    [arm64, good("other")],
    [amd64, good()],
  ]),
  "an index without amd64": index([[arm64, good()]]),
  "an index of nothing": index([]),
  "an index without platforms": index([[undefined, good()]]),
  "an index with a variant": index([[{ ...amd64, variant: "v2" }, good()]]),
  "an index of Windows": index([[{ os: "windows", architecture: "amd64" }, good()]]),
  "an index of Windows before linux": index([
    [{ os: "windows", architecture: "amd64" }, good("windows")],
    [amd64, good()],
  ]),
  "an index of unknown/unknown": index([[{ os: "unknown", architecture: "unknown" }, good()]]),
  "an index whose first amd64 is unloadable": index([
    [amd64, image([raw()])],
    [amd64, good()],
  ]),
  "an index with attestations before": index([
    [{ os: "unknown", architecture: "unknown" }, image([document()])],
    [amd64, good()],
  ]),
  "an index with attestations as buildkit writes them": index([
    [amd64, good()],
    [{ os: "unknown", architecture: "unknown" }, annotated(layer(Buffer.from("{}"), "application/vnd.in-toto+json"))],
  ]),
  "annotations everywhere": annotated(document(), raw()),
  "an index in an index": nested(2),
  "an index in an index without platforms": index([[undefined, index([[undefined, good()]])]]),
  "an index in an index, arm64 alone in it": index([
    [amd64, index([[arm64, good()]])],
    [amd64, good()],
  ]),
  "five indexes in each other": nested(5),
};

const names = [
  ...["plugin.wasm", "./plugin.wasm", "opt/plugin.wasm", "main.wasm", "plugin.wasm/x", "a"],
  ...["plugin.wasm.gz", "x/./plugin.wasm", "plugin.wasm/.", "a//plugin.wasm"],
];
const types = ["File", "File", "File", "OldFile", "Directory", "SymbolicLink", "Link", "ContiguousFile"] as const;

function anyTar(random: Random): Buffer {
  const members = Array.from({ length: Math.floor(random() * 4) }, (_, at) => {
    const type = pick(random, types);
    const path = pick(random, names);
    return type === "Directory"
      ? folder(`${path}/`)
      : {
          path,
          type,
          body: type.endsWith("Link") ? Buffer.alloc(0) : module(`${path} ${String(at)} ${String(random())}`),
        };
  });
  return Buffer.concat([...(random() < 0.3 ? [anySpeech(random)] : []), tarOf(members, { ends: random() < 0.8 })]);
}

/** An entry before the others that speaks of them, or is not as they are. */
function anySpeech(random: Random): Buffer {
  const name = pick(random, names);
  const how = pick(random, ["pax 1.0", "pax 0.1", "old"] as const);
  const kinds = [
    () => renamed(name),
    () => renamed(name, { size: Math.floor(random() * 60) }),
    () => ofAll({ comment: "x" }, pick(random, ["pax_global_header", "pax_global_header", name])),
    () => ofAll({ path: name }),
    () => longName(name),
    () => sparse(name, name, how, how === "old" ? Math.floor(random() * 3) : 0),
  ];
  return pick(random, kinds)();
}

/** One byte changed, or the end cut off, in one of ten. */
function hurt(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * bytes.length);
  if (random() < 0.9) return bytes;
  if (random() < 0.5) return bytes.subarray(0, at);
  const copy = Buffer.from(bytes);
  copy[at] = Math.floor(random() * 256);
  return copy;
}

function anyLayer(random: Random): Graph {
  const kind = random();
  if (kind < 0.25)
    return raw(pick(random, [MediaType.wasmContent, MediaType.wasmContent, wasmToOci]), String(random()));
  if (kind < 0.4) return document(String(random()));
  const type = pick(random, [
    MediaType.ociLayerGzip,
    MediaType.ociLayerGzip,
    MediaType.dockerLayerGzip,
    ociTar,
    ociZstd,
  ]);
  const tar = hurt(anyTar(random), random);
  return layer(type === ociTar ? tar : hurt(gz(tar), random), type);
}

/** A plugin as chance lays it out: manifests of both kinds, layers of all, tars of odd members, indexes in indexes. */
export function anyLayout(random: Random, depth = 0): Graph {
  if (depth < 3 && random() < 0.2) {
    const platforms = [amd64, amd64, arm64, undefined, { os: "linux", architecture: "amd64", variant: "v3" }];
    const children = Array.from({ length: 1 + Math.floor(random() * 2) }, () => {
      return [pick(random, platforms), anyLayout(random, depth + 1)] as const;
    });
    return index(children, pick(random, [MediaType.ociIndex, MediaType.dockerList]));
  }
  const layers = Array.from({ length: pick(random, [0, 1, 1, 2, 2, 2, 3]) }, () => anyLayer(random));
  const type = pick(random, [MediaType.ociManifest, MediaType.ociManifest, MediaType.dockerManifest]);
  return image(layers, type, random() < 0.2 ? null : undefined);
}
