import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { beforeAll, afterAll, describe, expect, it } from "vitest";
import { bundleCatalog } from "../../src/content/bundle-catalog.ts";
import { serve, type RunningServer } from "../../src/edge/server/server.ts";
import { digestOf } from "../../src/model/digest.ts";
import { MediaType } from "../../src/model/media-type.ts";
import { anImage, anIndex, aBlob, aStore } from "../rig/graph.ts";
import { aLockItem } from "../rig/lock-item.ts";

const image = anImage({ layers: [{ "a/b": "one" }, { "a/c": "two" }] });
const index = anIndex();
const signature = anImage({ layers: [{ sig: "s" }], subject: image.root, annotations: { by: "us" } });
const attached = anIndex([anImage({ layers: [{ more: "m" }] })], MediaType.ociIndex, {
  artifactType: "application/test",
  subject: image.root,
});
const layer = [...image.blobs].find(([, bytes]) => bytes[0] === 0x1f)!;
const repository = "quay.io/higress/gateway";
let server: RunningServer;
const at = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);

beforeAll(async () => {
  const items = [
    aLockItem("quay.io/higress/gateway:2.2.4", image, { aliases: ["quay.io/higress/gateway:latest"] }),
    aLockItem(`quay.io/higress/gateway:sig`, signature),
    aLockItem(`quay.io/higress/gateway:attached`, attached),
    aLockItem("harbor.corp:8443/multi/arch:1", index),
  ];
  server = await serve({ catalog: await bundleCatalog(items, aStore(image, index, signature, attached)) });
});
afterAll(() => server[Symbol.asyncDispose]());

describe("the page for a browser", () => {
  it.each([
    ["bastion.corp:5000", "bastion.corp:5000"],
    ["[2001:db8::7]:5000", "[2001:db8::7]:5000"],
    ['"><script>alert(1)</script>', "nobody"],
    ["a/b", "nobody"],
    ["a:99999", "nobody"],
    ["1.2.3.4.5", "nobody"],
  ])("knows the name under which it was found: Host %s", async (said, host) => {
    await using own = await serve({ home: (found = "nobody") => `<p>${found}</p>` });
    const asked = request({ port: own.port, headers: { Host: said } });
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    expect(response.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(await text(response)).toBe(`<p>${host}</p>`);
  });

  it("ends one request when it cannot be made, and not the server", async () => {
    await using own = await serve({ home: () => new URL("http://a:99999").host });
    expect((await fetch(own.url)).status).toBe(500);
    expect((await fetch(`${own.url}/v2/`)).status).toBe(200);
  });

  it("is not there where nobody gave one", async () => {
    expect((await at("/")).status).toBe(404);
  });
});

describe("the registry", () => {
  it("says that it is one", async () => {
    const response = await at("/v2/");
    expect(response.status).toBe(200);
    expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
  });

  it.each(["2.2.4", "latest", image.root.digest, encodeURIComponent(image.root.digest)])(
    "gives the exact bytes of the manifest %s, its type and its digest",
    async (pointer) => {
      const response = await at(`/v2/${repository}/manifests/${pointer}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      expect(response.status).toBe(200);
      expect(digestOf(bytes)).toBe(image.root.digest);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": MediaType.ociManifest,
        "docker-content-digest": image.root.digest,
        "content-length": String(image.root.size),
        etag: `"${image.root.digest}"`,
      });
    },
  );

  it("answers HEAD with the same headers and no body", async () => {
    const [get, head] = await Promise.all(
      ["GET", "HEAD"].map((method) => at(`/v2/${repository}/manifests/2.2.4`, { method })),
    );
    const ofInterest = (response: Response | undefined) =>
      [...(response?.headers ?? [])].filter(([name]) => !["date", "connection", "keep-alive"].includes(name));
    expect(ofInterest(head)).toEqual(ofInterest(get));
    expect(await head?.text()).toBe("");
  });

  it("gives every child of an index, and blobs of the repository that names them only", async () => {
    const isManifest = (bytes: Uint8Array) => Buffer.from(bytes).includes('"schemaVersion"');
    for (const [digest, bytes] of index.blobs) {
      const kinds = isManifest(bytes) ? ["manifests", "blobs"] : ["blobs", "manifests"];
      const [right, wrong] = await Promise.all(kinds.map((kind) => at(`/v2/multi/arch/${kind}/${digest}`)));
      expect([right?.status, wrong?.status]).toEqual([200, 404]);
      expect(digestOf(new Uint8Array((await right?.arrayBuffer()) ?? new ArrayBuffer()))).toBe(digest);
    }
    expect((await at(`/v2/multi/arch/blobs/${layer[0]}`)).status).toBe(404);
    expect((await at(`/v2/${repository}/blobs/${layer[0]}`)).status).toBe(200);
  });

  it("refuses a manifest to a client that does not take its type, and says what it is", async () => {
    const headers = { accept: MediaType.dockerManifest };
    const response = await at("/v2/multi/arch/manifests/1", { headers });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      errors: [{ code: "MANIFEST_UNKNOWN", detail: { mediaType: MediaType.ociIndex } }],
    });
  });

  it("answers 304 to who has it", async () => {
    const headers = { "if-none-match": `"x", W/"${layer[0]}"` };
    const response = await at(`/v2/${repository}/blobs/${layer[0]}`, { headers });
    expect(response.status).toBe(304);
    expect(await response.text()).toBe("");
  });

  it.each([
    ["bytes=0-9", 206, 0, 10],
    ["bytes=5-", 206, 5, undefined],
    ["bytes=-7", 206, -7, undefined],
    ["bytes=3-3", 206, 3, 4],
    ["bytes=0-999999", 206, 0, undefined],
    ["bytes=0-1,4-5", 200, 0, undefined],
    ["lines=1-2", 200, 0, undefined],
  ])("sends the part %s with %i", async (range, status, from, to) => {
    const response = await at(`/v2/${repository}/blobs/${layer[0]}`, { headers: { range } });
    expect(response.status).toBe(status);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(layer[1]).subarray(from, to));
  });

  it.each([
    [0, 0],
    [262_143, 262_144],
    [262_144, 524_288],
    [700_000, 999_999],
  ])("sends exactly the bytes %i to %i, across the borders of the blocks that it checks", async (first, last) => {
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251));
    const wasm = aBlob(bytes);
    const file = { path: "a.wasm", size: bytes.length, sha256: wasm.root.digest.slice(7) };
    const open = (offset = 0) => aStore(wasm).fetch(wasm.root, { offset });
    await using files = await serve({ plugins: new Map([["a.wasm", { ...file, open }]]) });
    const response = await fetch(`${files.url}/a.wasm`, { headers: { range: `bytes=${first}-${last}` } });
    expect(response.status).toBe(206);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(first, last + 1))).toBe(true);
  });

  it("answers 416 with the size to a part that is not there", async () => {
    const headers = { range: `bytes=${layer[1].byteLength}-` };
    const response = await at(`/v2/${repository}/blobs/${layer[0]}`, { headers });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, `bytes */${layer[1].byteLength}`]);
  });

  it("sends all of it when If-Range names other content", async () => {
    const range = "bytes=0-1";
    const same = await at(`/v2/${repository}/blobs/${layer[0]}`, { headers: { range, "if-range": `"${layer[0]}"` } });
    const other = await at(`/v2/${repository}/blobs/${layer[0]}`, { headers: { range, "if-range": '"other"' } });
    expect([same.status, other.status]).toEqual([206, 200]);
    await Promise.all([same.arrayBuffer(), other.arrayBuffer()]);
  });

  it("lists tags page by page until no Link is left", async () => {
    const pages: unknown[] = [];
    for (let path: string | undefined = `/v2/${repository}/tags/list?n=2`; path !== undefined;) {
      const response = await at(path);
      pages.push(((await response.json()) as { tags: unknown }).tags);
      path = /<(.*)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(pages).toEqual([
      ["2.2.4", "attached"],
      ["latest", "sig"],
    ]);
    expect((await at(`/v2/${repository}/tags/list?n=-1`)).status).toBe(400);
    expect(await (await at(`/v2/${repository}/tags/list?n=0`)).json()).toMatchObject({ tags: [] });
  });

  it("lists its repositories, each by path and by host and path", async () => {
    expect(await (await at("/v2/_catalog")).json()).toEqual({
      repositories: ["harbor.corp_8443/multi/arch", "higress/gateway", "multi/arch", repository],
    });
    expect(await (await at("/v2/_catalog?n=1&last=higress/gateway")).json()).toEqual({ repositories: ["multi/arch"] });
  });

  it("lists what refers to a digest, by type when asked", async () => {
    const path = `/v2/${repository}/referrers/${image.root.digest}`;
    const all = await at(path);
    expect(all.headers.get("content-type")).toBe(MediaType.ociIndex);
    expect(await all.json()).toMatchObject({
      manifests: expect.arrayContaining([
        expect.objectContaining({
          digest: signature.root.digest,
          artifactType: MediaType.ociConfig,
          annotations: { by: "us" },
        }),
      ]) as unknown[],
    });
    const listed = (await (await at(`${path}?artifactType=application/test`)).json()) as { manifests: object[] };
    expect(listed.manifests).toEqual([
      {
        digest: attached.root.digest,
        mediaType: MediaType.ociIndex,
        size: attached.root.size,
        artifactType: "application/test",
      },
    ]);
    const none = await at(`${path}?artifactType=application/other`);
    expect(none.headers.get("oci-filters-applied")).toBe("artifactType");
    expect(await none.json()).toMatchObject({ manifests: [] });
  });

  it("answers for the registry that a mirror request names", async () => {
    expect((await at("/v2/higress/gateway/manifests/2.2.4?ns=quay.io")).status).toBe(200);
    expect((await at("/v2/higress/gateway/manifests/2.2.4?ns=harbor.corp:8443")).status).toBe(404);
    expect((await at("/v2/multi/arch/manifests/1?ns=harbor.corp:8443")).status).toBe(200);
    expect((await at("/v2/multi/arch/manifests/1?ns=some.mirror")).status).toBe(200);
  });

  it.each([
    ["/v2/no/such/manifests/1", 404, "NAME_UNKNOWN"],
    [`/v2/${repository}/manifests/none`, 404, "MANIFEST_UNKNOWN"],
    [`/v2/${repository}/manifests/sha256:abc`, 400, "DIGEST_INVALID"],
    [`/v2/${repository}/blobs/latest`, 400, "DIGEST_INVALID"],
    [`/v2/${repository}/blobs/${aBlob("other").root.digest}`, 404, "BLOB_UNKNOWN"],
    ["/v2/no/such/tags/list", 404, "NAME_UNKNOWN"],
    ["/elsewhere", 404, "NOT_FOUND"],
  ])("answers %s with %i %s in the error format of the specification", async (path, status, code) => {
    const response = await at(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ errors: [{ code, message: expect.any(String) as string }] });
  });

  it.each([
    ["POST", `/v2/${repository}/blobs/uploads/`],
    ["PUT", `/v2/${repository}/manifests/evil`],
    ["DELETE", `/v2/${repository}/manifests/2.2.4`],
    ["PATCH", "/v2/x/blobs/uploads/1"],
    ["PUT", "/plugins/x/1/plugin.wasm"],
  ])("refuses %s %s: it is read-only", async (method, path) => {
    const response = await at(path, { method, body: method === "DELETE" ? null : "x".repeat(100_000) });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await response.json()).toMatchObject({ errors: [{ code: "UNSUPPORTED" }] });
  });
});
