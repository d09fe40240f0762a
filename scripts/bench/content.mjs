// @ts-check
// What is moved: the same bytes on every machine, so that two runs can be compared. Incompressible, in gzip members,
// because a client that finds a layer uncompressed compresses it and would be measured doing that.
import { createCipheriv, createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

const MiB = 1024 ** 2;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const platforms = ["amd64", "arm64"];

/**
 * @typedef {{ readonly bytes: Buffer, readonly descriptor: { mediaType: string, digest: string, size: number } }} Blob
 * @typedef {{ readonly name: string, readonly platforms: readonly string[], blobs(): Generator<Blob>, manifests(): readonly Blob[] }} Item
 */

/** Images on two platforms over a shared base each, and small artifacts. @param {number} scale @returns {readonly Item[]} */
export function images(scale) {
  const layers = [48, 12, 4].map((size) => size * scale);
  const made = Array.from({ length: 6 }, (_, image) => index(`image-${image}`, { base: 128 * scale, layers }));
  return [...made, ...artifacts(6)];
}

/** What a plugin is on the wire: a config and two small layers. @param {number} count @returns {readonly Item[]} */
export function artifacts(count) {
  return Array.from({ length: count }, (_, at) => {
    const name = `plugin-${String(at).padStart(2, "0")}`;
    const sizes = [0.06 + (at % 8) * 0.03, 0.12 + (at % 10) * 0.12];
    const parts = sizes.map((size, layer) => ({ name: `${name} ${layer}`, size: Math.round(size * MiB) }));
    return single(name, parts);
  });
}

/** @param {string} name @param {{ base: number, layers: readonly number[] }} shape @returns {Item} */
function index(name, { base, layers }) {
  const children = platforms.map((architecture) => {
    const own = layers.map((size, at) => ({ name: `${name} ${architecture} ${at}`, size: Math.round(size * MiB) }));
    return image(architecture, [{ name: `base ${architecture}`, size: Math.round(base * MiB) }, ...own]);
  });
  const manifests = () => {
    const each = children.map((child) => child.manifest());
    const listed = each.map(({ descriptor }, at) => ({
      ...descriptor,
      platform: { os: "linux", architecture: platforms[at] },
    }));
    const mediaType = "application/vnd.oci.image.index.v1+json";
    return [...each, json(mediaType, { schemaVersion: 2, mediaType, manifests: listed })];
  };
  return {
    name,
    platforms: platforms.map((architecture) => `linux/${architecture}`),
    manifests,
    *blobs() {
      for (const child of children) yield* child.blobs();
    },
  };
}

/** @param {string} name @param {readonly Part[]} parts @returns {Item} */
function single(name, parts) {
  const only = image("amd64", parts);
  return { name, platforms: ["linux/amd64"], blobs: () => only.blobs(), manifests: () => [only.manifest()] };
}

/** @typedef {{ readonly name: string, readonly size: number }} Part */

/** @param {string} architecture @param {readonly Part[]} parts */
function image(architecture, parts) {
  /** @returns {Blob} */
  const config = () => {
    const diffIds = parts.map(({ name }) => `sha256:${createHash("sha256").update(name).digest("hex")}`);
    const rootfs = { type: "layers", diff_ids: diffIds };
    return json("application/vnd.oci.image.config.v1+json", { architecture, os: "linux", rootfs });
  };
  return {
    *blobs() {
      for (const part of parts) yield layer(part);
      yield config();
    },
    manifest() {
      const layers = parts.map((part) => layer(part).descriptor);
      const content = { schemaVersion: 2, mediaType: manifestType, config: config().descriptor, layers };
      return json(manifestType, content);
    },
  };
}

/**
 * By name and size, since one run makes the same names in several sizes. The descriptor is kept and not the bytes:
 * making them again costs less than holding a gibibyte. @type {Map<string, Blob["descriptor"]>}
 */
const known = new Map();

/** @param {Part} part @returns {Blob} */
function layer({ name, size }) {
  const key = `${name} ${size}`;
  const descriptor = known.get(key);
  const make = () => gzipSync(noise(name, size), { level: 0 });
  if (descriptor !== undefined) {
    return {
      descriptor,
      get bytes() {
        return make();
      },
    };
  }
  const made = blob("application/vnd.oci.image.layer.v1.tar+gzip", make());
  known.set(key, made.descriptor);
  return made;
}

/** @param {string} name @param {number} size */
function noise(name, size) {
  const key = createHash("sha256").update(name).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** @param {string} mediaType @param {unknown} value */
function json(mediaType, value) {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

/** @param {string} mediaType @param {Buffer} bytes @returns {Blob} */
function blob(mediaType, bytes) {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { bytes, descriptor: { mediaType, digest, size: bytes.byteLength } };
}

/**
 * Puts everything into a registry, by plain HTTP. @param {string} host @param {readonly Item[]} items
 * @returns {Promise<{ unique: number }>} bytes, each blob counted once
 */
export async function seed(host, items) {
  const sizes = new Map();
  for (const { name, blobs, manifests } of items) {
    for (const { descriptor, bytes } of blobs()) {
      sizes.set(descriptor.digest, descriptor.size);
      const started = await put("POST", `http://${host}/v2/bench/${name}/blobs/uploads/`, 202);
      const to = new URL(started.headers.get("location") ?? "");
      to.searchParams.set("digest", descriptor.digest);
      await put("PUT", to.href, 201, bytes, "application/octet-stream");
    }
    const all = manifests();
    for (const [at, { descriptor, bytes }] of all.entries()) {
      sizes.set(descriptor.digest, descriptor.size);
      const pointer = at === all.length - 1 ? "1" : descriptor.digest;
      await put("PUT", `http://${host}/v2/bench/${name}/manifests/${pointer}`, 201, bytes, descriptor.mediaType);
    }
  }
  return { unique: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
}

/** @param {string} method @param {string} url @param {number} wanted @param {Buffer} [body] @param {string} [type] */
async function put(method, url, wanted, body, type) {
  const headers = type === undefined ? {} : { "content-type": type };
  const response = await fetch(url, { method, headers, body: body === undefined ? null : new Uint8Array(body) });
  if (response.status !== wanted) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}
