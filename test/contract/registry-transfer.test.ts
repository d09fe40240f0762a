import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSmall } from "../../src/content/verified.ts";
import { Failure } from "../../src/model/failure.ts";
import { collect } from "../../src/std/collect.ts";
import { aBlob, aStore, bytesOf, type Graph } from "../rig/builders/graph.ts";
import { aClient, type Client } from "../rig/client.ts";
import { aFaultServer, type Fault, type FaultServer } from "../rig/fault-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";

const mebibyte = 1024 ** 2;
const blob = aBlob(300_000);
const opened = (graph: Graph) => () => aStore(graph).fetch(graph.root);
const gets = (server: FaultServer) => server.requests.filter((each) => each.step === "blob.get");

const ways: readonly (readonly [string, number])[] = [
  ["by undici", Infinity],
  ["over sockets of its own", 0],
];

describe.skipIf(dockerRegistryUnavailable()).each(ways)("moving a blob %s", (_way, bulkFrom) => {
  let upstream: DockerRegistry;
  let server: FaultServer;
  let client: Client;
  /** Where a stall is meant. The other cases must not meet one on a busy machine: it takes the fault of the next request. */
  let impatient: Client;
  beforeAll(async () => {
    upstream = await aDockerRegistry();
    server = await aFaultServer({ upstream: upstream.url });
    const options = { origins: [server.origin], side: "target", partSize: mebibyte, bulkFrom } as const;
    client = aClient({ ...options, stallSeconds: 60 });
    impatient = aClient({ ...options, stallSeconds: 1 });
    await repository().push(blob.root, opened(blob));
  });
  afterAll(async () => {
    for (const each of [client, impatient, server, upstream]) await each[Symbol.asyncDispose]();
  });
  const repository = (name = "p/blobs") => client.registry.repository(name);
  const fresh = (graph: Graph) => repository(`fresh/${graph.root.digest.slice(7, 19)}`);

  it("down: what was cut goes on after its last byte, if it is still the same", async () => {
    const before = gets(server).length;
    server.failNext("blob.get", { type: "cut", at: 100_000 });
    expect(await readSmall(repository(), blob.root, "source")).toHaveLength(300_000);
    const [first, second] = gets(server).slice(before);
    expect(first?.headers.range).toBeUndefined();
    expect(second?.headers.range).toBe("bytes=100000-");
    expect(second?.headers["if-range"]).toBe(`"${blob.root.digest}"`);
  });

  it("down: a server without ranges is read past what is known", async () => {
    server.failNext("blob.get", { type: "cut", at: 100_000 });
    server.failNext("blob.get", { type: "rangeless" });
    expect(await readSmall(repository(), blob.root, "source")).toHaveLength(300_000);
  });

  it.each(["99999-299999/300000", "100000-300000/300000", "100000-300000/*", "100000-99999/300000"])(
    "down: a part from another place is refused: %s",
    async (range) => {
      server.failNext("blob.get", { type: "cut", at: 100_000 });
      server.failNext("blob.get", { type: "headers", headers: { "content-range": `bytes ${range}` } });
      await expect(readSmall(repository(), blob.root, "source")).rejects.toMatchObject({
        code: "REGISTRY_PROTOCOL",
        facts: { why: `Content-Range bytes ${range} for bytes=100000- of 300000` },
      });
    },
  );

  it("down: many cuts are endured as long as each brings something", async () => {
    for (let cut = 0; cut < 4; cut += 1) server.failNext("blob.get", { type: "cut", at: 70_000 });
    expect(await readSmall(repository(), blob.root, "source")).toHaveLength(300_000);
  });

  it("down: a stall is said, and so is the retry", async () => {
    server.failNext("blob.get", { type: "stall", at: 10 });
    await readSmall(impatient.registry.repository("p/blobs"), blob.root, "source");
    const what = `GET p/blobs@${blob.root.digest}`;
    expect(impatient.events).toContainEqual({ type: "stalled", what, seconds: 1 });
    expect(impatient.events).toContainEqual(expect.objectContaining({ type: "retry", what, why: "REGISTRY_STALLED" }));
  });

  it("down: a reader who is slow is not taken for a stall", async () => {
    const large = aBlob(8 * mebibyte);
    await repository().push(large.root, opened(large));
    const before = gets(server).length;
    let size = 0;
    for await (const chunk of impatient.registry.repository("p/blobs").fetch(large.root)) {
      // Two periods in which the full queue lets nothing in.
      if (size === 0) await new Promise((resolve) => setTimeout(resolve, 2_200));
      size += chunk.byteLength;
    }
    expect(size).toBe(8 * mebibyte);
    expect(gets(server).length - before).toBe(1);
  });

  it("down: a reader who leaves takes the connection along", async () => {
    const large = aBlob(8 * mebibyte);
    await repository().push(large.root, opened(large));
    for await (const chunk of repository().fetch(large.root)) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    // The connection serves nobody else, and the next request works.
    expect(await repository().has(large.root)).toBe(true);
  });

  it("down: an abort ends it at once with its reason", async () => {
    const stop = new AbortController();
    const reason = new Error("that will do");
    server.failNext("blob.get", { type: "stall", at: 10 });
    const reading = (async () => {
      for await (const chunk of repository().fetch(blob.root, { signal: stop.signal })) {
        expect(chunk).toHaveLength(10);
        stop.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
  });

  it("up: an abort ends it at once with its reason, even where the source hangs", async () => {
    const stop = new AbortController();
    const reason = new Error("that will do");
    const other = aBlob(300_000);
    const open = async function* () {
      yield bytesOf(other).subarray(0, 200_000);
      setTimeout(() => stop.abort(reason), 20);
      await new Promise(() => undefined);
    };
    const pushing = repository("aborted").push(other.root, open, { signal: stop.signal });
    await expect(pushing).rejects.toBe(reason);
  });

  it.each<[string, Fault[]]>([
    ["a proxy refuses it whole", [{ type: "status", status: 413 }]],
    [
      "a proxy gives up on it twice",
      [
        { type: "status", status: 504 },
        { type: "cut", at: 200_000 },
      ],
    ],
  ])("up: goes in parts when %s, and so does the next one", async (name, faults) => {
    const [first, second] = [aBlob(2 * mebibyte + 400_000), aBlob(1 * mebibyte + name.length)];
    const into = repository(`parts/${String(name.length)}`);
    for (const fault of faults) server.failNext("upload.put", fault);
    await into.push(first.root, opened(first));
    const before = server.requests.length;
    await into.push(second.root, opened(second));
    const parts = server.requests.slice(before).filter((each) => each.step === "upload.patch");
    expect(parts.map((each) => each.bytes)).toEqual([mebibyte, name.length]);
    for (const each of [first, second]) expect(await into.has(each.root)).toBe(true);
  });

  it("up: parts become smaller when they are refused, too", async () => {
    const large = aBlob(mebibyte + 1);
    await using finer = aClient({ origins: [server.origin], partSize: 8 * mebibyte });
    const before = server.requests.length;
    server.failNext("upload.put", { type: "status", status: 413 });
    await finer.registry.repository("parts/finer").push(large.root, opened(large));
    const sizes = server.requests.slice(before).filter((each) => each.step === "upload.patch");
    expect(sizes.map((each) => each.bytes)).toEqual([mebibyte, 1]);
  });

  it.each([0, 1])("up: a blob of %i bytes has no smaller parts, and what refuses it is told", async (size) => {
    const tiny = aBlob(size);
    server.failNext("upload.put", { type: "status", status: 413 });
    const facts = { status: 413 };
    await expect(fresh(tiny).push(tiny.root, opened(tiny))).rejects.toMatchObject({ code: "REGISTRY_REFUSED", facts });
    server.failNext("upload.put", { type: "status", status: 504 }, 2);
    await fresh(tiny).push(tiny.root, opened(tiny));
    expect(await fresh(tiny).has(tiny.root)).toBe(true);
  });

  it.each<[string, (location: URL) => string]>([
    ["says http behind TLS, and an inner name", (url) => `http://registry.inner:5000${url.pathname}${url.search}`],
    ["is relative", (url) => `${url.pathname}${url.search}`],
  ])("up: the Location %s, and the upload stays with us", async (name, rewrite) => {
    const other = aBlob(name);
    server.failNext("upload.post", { type: "location", rewrite });
    await fresh(other).push(other.root, opened(other));
    expect(await fresh(other).has(other.root)).toBe(true);
  });

  it("up: a Location at somebody else's is refused", async () => {
    const other = aBlob("elsewhere");
    server.failNext("upload.post", { type: "location", rewrite: () => "https://storage.example/put-here?sig=abc" });
    await expect(fresh(other).push(other.root, opened(other))).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      facts: { why: "upload Location at https://storage.example/put-here" },
    });
  });

  it("up: another digest in the answer is a mismatch", async () => {
    const other = aBlob("renamed");
    const headers = { "docker-content-digest": blob.root.digest };
    server.failNext("upload.put", { type: "headers", headers });
    const pushing = fresh(other).push(other.root, opened(other));
    await expect(pushing).rejects.toMatchObject({ code: "CONTENT_MISMATCH", side: "target" });
  });

  it("up: trouble at our own end is not the target's, and is not tried again", async () => {
    const other = aBlob(200_000);
    let opens = 0;
    const trouble = new Failure("FILE_UNREADABLE", { path: "/stick/bundle.tar", reason: "EIO" });
    const open = async function* () {
      opens += 1;
      yield bytesOf(other).subarray(0, 100_000);
      await Promise.reject(trouble);
    };
    await expect(fresh(other).push(other.root, open)).rejects.toBe(trouble);
    expect(opens).toBe(1);
    expect(await fresh(other).has(other.root)).toBe(false);
  });

  it("up: a source may use one buffer for every chunk", async () => {
    const other = aBlob(700_001);
    const bytes = bytesOf(other);
    const open = async function* () {
      const buffer = Buffer.alloc(16 * 1024);
      for (let at = 0; at < bytes.byteLength; at += buffer.byteLength) {
        const size = buffer.write(Buffer.from(bytes.subarray(at, at + buffer.byteLength)).toString("latin1"), "latin1");
        yield await Promise.resolve(buffer.subarray(0, size));
        buffer.fill(0);
      }
    };
    await fresh(other).push(other.root, open);
    const back = await collect(fresh(other).fetch(other.root), 700_001);
    expect(createHash("sha256").update(back).digest("hex")).toBe(other.root.digest.slice(7));
  });

  it("up: what was counted before a retry is not counted again", async () => {
    const other = aBlob(400_000);
    let counted = 0;
    server.failNext("upload.put", { type: "cut", at: 200_000 });
    await fresh(other).push(other.root, opened(other), { onBytes: (bytes) => (counted += bytes) });
    expect(counted).toBe(400_000);
  });

  it("waits as long as Retry-After says", async () => {
    server.failNext("blob.head", { type: "status", status: 429, headers: { "retry-after": "1" } });
    const before = performance.now();
    expect(await repository().has(blob.root)).toBe(true);
    expect(performance.now() - before).toBeGreaterThan(950);
  });
});
