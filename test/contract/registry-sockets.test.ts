import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Readable } from "node:stream";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { describe, expect, it } from "vitest";
import { BulkTransport } from "../../src/edge/registry/bulk-transport.ts";
import { UndiciTransport, type UndiciTransportOptions } from "../../src/edge/registry/undici-transport.ts";
import { collect } from "../../src/std/collect.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const body = "x".repeat(200_000);
const plain = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nETag: "1"\r\n\r\n${body}`;

interface Peer extends AsyncDisposable {
  readonly url: URL;
  /** Requests by connection, in the order in which the connections came. */
  readonly asked: readonly string[][];
}

/** Answers every request with what `answer` says, to the byte. */
async function aPeer(answer: (asked: number, socket: Socket) => string | undefined, tls?: TlsOptions): Promise<Peer> {
  const asked: string[][] = [];
  let count = 0;
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    const mine: string[] = [];
    asked.push(mine);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      mine.push(data.toString("latin1"));
      const text = answer(count++, socket);
      if (text !== undefined) socket.write(text, "latin1");
    });
  };
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const scheme = tls === undefined ? "http://127.0.0.1" : "https://localhost";
  const url = new URL(`${scheme}:${(server.address() as AddressInfo).port}/v2/some/blobs/sha256:00?a=b`);
  return {
    url,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Patient, but where silence is meant: a busy machine is silent, too. */
function aTransport({ env = {}, ca = [], stallSeconds = 60 }: Partial<UndiciTransportOptions> = {}) {
  const general = new UndiciTransport({ ca, insecure: false, env, connections: 4, stallSeconds });
  const transport = new BulkTransport({ general, tls: (at) => general.tls(at), env, stallSeconds, from: 1000 });
  const get = async (url: URL, headers: Record<string, string> = {}, signal?: AbortSignal) => {
    const response = await transport.send({ method: "GET", url, headers, expects: body.length, signal });
    const { status } = response;
    return {
      status,
      header: (name: string) => response.header(name),
      text: (await collect(response.body, 1e6)).toString("latin1"),
    };
  };
  return { transport, get, [Symbol.asyncDispose]: () => transport.close() };
}

describe("a large body over a socket of its own", () => {
  it("comes whole, and the next one over the same connection", async () => {
    await using peer = await aPeer(() => plain);
    await using client = aTransport();
    for (let time = 0; time < 3; time += 1) {
      const { status, header, text } = await client.get(peer.url, { range: "bytes=5-", authorization: "Bearer abc" });
      expect({ status, etag: header("etag"), none: header("x"), same: text === body }).toEqual({
        status: 200,
        etag: ['"1"'],
        none: [],
        same: true,
      });
    }
    expect(peer.asked).toHaveLength(1);
    expect(peer.asked[0]?.[2]).toBe(
      `GET /v2/some/blobs/sha256:00?a=b HTTP/1.1\r\nhost: ${peer.url.host}\r\nconnection: keep-alive\r\n` +
        "range: bytes=5-\r\nauthorization: Bearer abc\r\n\r\n",
    );
  });

  it.each([1, 2, 7, 40])("is the same when its head comes in pieces of %s bytes", async (size) => {
    await using peer = await aPeer((_asked, socket) => {
      const pieces = [...Array(Math.ceil(90 / size)).keys()].map((at) => plain.slice(at * size, (at + 1) * size));
      const rest = plain.slice(pieces.join("").length);
      void (async () => {
        for (const piece of [...pieces, rest]) {
          socket.write(piece, "latin1");
          await new Promise((done) => setTimeout(done, 1));
        }
      })();
      return undefined;
    });
    await using client = aTransport();
    expect((await client.get(peer.url)).text === body).toBe(true);
  });

  it("is asked for again where the connection was closed while nobody used it", async () => {
    let first: Socket | undefined;
    await using peer = await aPeer((_asked, socket) => {
      first ??= socket;
      return plain;
    });
    await using client = aTransport();
    await client.get(peer.url);
    // Closed at both ends once the client has heard of it.
    const closed = once(first as unknown as Socket, "close");
    first?.end();
    await closed;
    expect((await client.get(peer.url)).text === body).toBe(true);
    expect(peer.asked.map((each) => each.length)).toEqual([1, 1]);
  });

  it("and again where the request itself found it closed", async () => {
    await using peer = await aPeer((asked, socket) => (asked === 1 ? void socket.resetAndDestroy() : plain));
    await using client = aTransport();
    await client.get(peer.url);
    expect((await client.get(peer.url)).text === body).toBe(true);
    expect(peer.asked.map((each) => each.length)).toEqual([2, 1]);
  });

  it.each<[string, string]>([
    ["is chunked", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n`],
    ["ends with its connection", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcd"],
    ["comes after an early hint", `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd`],
  ])("is received in the general way when it %s, and so is the next", async (_name, answer) => {
    await using peer = await aPeer((_asked, socket) => {
      socket.write(answer);
      if (answer.includes("Connection: close")) socket.end();
      return undefined;
    });
    await using client = aTransport();
    expect((await client.get(peer.url)).text).toBe("abcd");
    const before = peer.asked.flat().length;
    expect((await client.get(peer.url)).text).toBe("abcd");
    expect([before, peer.asked.flat().length]).toEqual([2, 3]);
  });

  it.each<[string, string]>([
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nabcd"],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(200_000)}`],
    ["no head", "220 mail.example ESMTP\r\n\r\n"],
  ])("is refused for %s", async (_name, answer) => {
    await using peer = await aPeer(() => answer);
    await using client = aTransport();
    await expect(client.get(peer.url)).rejects.toThrow();
  });

  it("takes no byte more than it said, and trusts that connection with nothing else", async () => {
    await using peer = await aPeer(() => `${plain}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse`);
    await using client = aTransport();
    for (let time = 0; time < 2; time += 1) expect((await client.get(peer.url)).text === body).toBe(true);
    expect(peer.asked).toHaveLength(2);
  });

  it("does not send what would end a header", async () => {
    await using peer = await aPeer(() => plain);
    await using client = aTransport();
    await expect(client.get(peer.url, { authorization: "Bearer a\r\nx: y" })).rejects.toThrow("invalid authorization");
    expect(peer.asked.flat()).toEqual([]);
  });

  it("ends with an abort, before the head and in the body", async () => {
    await using peer = await aPeer((asked) => (asked === 0 ? undefined : plain.slice(0, 1000)));
    await using client = aTransport();
    for (const delay of [30, 60]) {
      const stop = new AbortController();
      const reason = new Error("enough");
      setTimeout(() => stop.abort(reason), delay);
      await expect(client.get(peer.url, {}, stop.signal)).rejects.toBe(reason);
    }
  });

  it("says that nothing comes, before the head and in the body", async () => {
    await using peer = await aPeer((asked) => (asked === 0 ? undefined : plain.slice(0, 200)));
    await using client = aTransport({ stallSeconds: 0.3 });
    for (let time = 0; time < 2; time += 1)
      await expect(client.get(peer.url)).rejects.toMatchObject({ name: "StalledError", seconds: 0.3 });
  });

  it("does not ask a silent server once more for each connection that it has", async () => {
    await using peer = await aPeer((asked) => (asked < 3 ? plain : undefined));
    await using client = aTransport({ stallSeconds: 2 });
    await Promise.all([client.get(peer.url), client.get(peer.url), client.get(peer.url)]);
    await expect(client.get(peer.url)).rejects.toMatchObject({ name: "StalledError" });
    expect(peer.asked.map((each) => each.length).sort()).toEqual([1, 1, 2]);
  });

  it("goes over TLS to whom the CA vouches for, and to nobody else", async () => {
    await using authority = await aCertificateAuthority();
    await using peer = await aPeer(() => plain, authority.tls);
    await using trusting = aTransport({ ca: [await readFile(authority.caFile, "utf8")] });
    for (let time = 0; time < 2; time += 1) expect((await trusting.get(peer.url)).text === body).toBe(true);
    expect(peer.asked).toHaveLength(1);
    await using stranger = aTransport();
    await expect(stranger.get(peer.url)).rejects.toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  });

  it("takes a few buffers over TLS however slow its reader is, two at a time, and the connections serve again", async () => {
    const size = 12 * 1024 ** 2;
    const piece = randomBytes(16 * 1024);
    await using authority = await aCertificateAuthority();
    await using peer = await aPeer((_asked, socket) => {
      const pieces = Readable.from(Array.from({ length: size / piece.byteLength }, () => piece));
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      pieces.pipe(socket, { end: false });
      return undefined;
    }, authority.tls);
    await using client = aTransport({ ca: [await readFile(authority.caFile, "utf8")] });
    const pattern = Buffer.concat(Array<Buffer>(10).fill(piece));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const slowly = async (): Promise<boolean> => {
      const { body } = await client.transport.send({ method: "GET", url: peer.url, headers: {}, expects: size });
      let at = 0;
      for await (const chunk of body) {
        await new Promise((done) => setTimeout(done, 1));
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        const from = at % piece.byteLength;
        if (!pattern.subarray(from, from + chunk.byteLength).equals(chunk)) return false;
        at += chunk.byteLength;
      }
      return at === size;
    };
    for (let round = 0; round < 2; round += 1) expect(await Promise.all([slowly(), slowly()])).toEqual([true, true]);
    expect(peer.asked.map((each) => each.length)).toEqual([2, 2]);
    expect(most).toBeLessThan(size);
  });

  it("is left to the general way where there is a proxy", async () => {
    await using peer = await aPeer(() => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
    await using client = aTransport({ env: { HTTP_PROXY: peer.url.origin } });
    expect((await client.get(new URL("http://registry.example/v2/"))).text).toBe("abcd");
    expect(peer.asked.flat()[0]).toContain("GET http://registry.example/v2/ HTTP/1.1");
  });
});
