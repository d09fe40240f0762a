import { EventEmitter, once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bundleCatalog } from "../../src/content/bundle-catalog.ts";
import type { Fetcher } from "../../src/content/store.ts";
import { serve, type RequestLine, type RunningServer } from "../../src/edge/server/server.ts";
import type { Descriptor } from "../../src/model/descriptor.ts";
import { digestOf } from "../../src/model/digest.ts";
import { aBlob, anImage, aStore, type Seed } from "../rig/graph.ts";
import { aLockItem } from "../rig/lock-item.ts";

const image = anImage();
const chunk = 1024 ** 2;

/** A layer of zeros that a source yields in chunks of 1 MiB, out of one buffer as a file does. */
function zeros(chunks: number, damagedAt?: number) {
  const whole = Buffer.alloc(chunks * chunk);
  const descriptor: Descriptor = { mediaType: "application/x", digest: digestOf(whole), size: whole.length };
  const state = { asked: 0, closed: 0 };
  async function* fetch(_: Descriptor, { offset = 0 }: { offset?: number | undefined } = {}) {
    const buffer = Buffer.alloc(chunk);
    try {
      for (let at = offset / chunk; at < chunks; at += 1) {
        state.asked += 1;
        await turn();
        yield buffer.fill(at === damagedAt ? 1 : 0);
      }
    } finally {
      state.closed += 1;
    }
  }
  return { descriptor, content: { fetch } satisfies Fetcher, state };
}

async function servingBlob(blob: { descriptor: Descriptor; content: Fetcher }) {
  let logged: (line: RequestLine) => void = () => undefined;
  const server = await serve({
    catalog: {
      content: blob.content,
      repositories: () => ["a"],
      tags: () => [],
      manifest: () => undefined,
      referrers: () => [],
      blob: () => blob.descriptor,
    },
    onRequest: (line) => logged(line),
  });
  const nextLine = () => new Promise<RequestLine>((resolve) => (logged = resolve));
  return { server, nextLine, url: `${server.url}/v2/a/blobs/${blob.descriptor.digest}` };
}

async function open(url: string, headers = {}): Promise<IncomingMessage> {
  const [response] = (await once(http.get(url, { headers, agent: false }), "response")) as [IncomingMessage];
  return response;
}

async function read(response: IncomingMessage): Promise<number | "cut"> {
  let bytes = 0;
  try {
    for await (const part of response) bytes += (part as Buffer).length;
    return response.complete ? bytes : "cut";
  } catch {
    return "cut";
  }
}

async function using<T>(server: RunningServer, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

describe("a blob on its way out", () => {
  it("arrives whole out of a source that reuses its buffer", async () => {
    const { server, url } = await servingBlob(zeros(8));
    await using(server, async () => {
      expect(await read(await open(url))).toBe(8 * chunk);
    });
  });

  it.each([0, 3, 7])("is cut before its end when chunk %i is damaged", async (at) => {
    const { server, url, nextLine } = await servingBlob(zeros(8, at));
    await using(server, async () => {
      const line = nextLine();
      expect(await read(await open(url))).toBe("cut");
      expect(await line).toMatchObject({ status: 200, bytes: 7 * chunk, cut: "CONTENT_MISMATCH" });
    });
  });

  it("is no answer at all when it is damaged and small", async () => {
    const { server, url } = await servingBlob(zeros(1, 0));
    await using(server, async () => {
      const response = (await open(url)).resume();
      expect(response.statusCode).toBe(500);
    });
  });

  it("is not read on when its client leaves", async () => {
    const blob = zeros(200);
    const { server, url, nextLine } = await servingBlob(blob);
    await using(server, async () => {
      const line = nextLine();
      const response = await open(url);
      await once(response, "readable");
      response.destroy();
      expect(await line).toMatchObject({ cut: "gone" });
      expect(blob.state.closed).toBe(1);
      expect(blob.state.asked).toBeLessThan(200);
    });
  });

  it("is given up when its client leaves while the source is waiting", async () => {
    const { descriptor } = zeros(2);
    let given: AbortSignal | undefined;
    const source = new EventEmitter();
    const waiting = once(source, "waits");
    const content: Fetcher = {
      async *fetch(_, { signal } = {}) {
        given = signal;
        yield Buffer.alloc(chunk);
        source.emit("waits");
        await new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new Error("left"))));
      },
    };
    const { server, url, nextLine } = await servingBlob({ descriptor, content });
    await using(server, async () => {
      const line = nextLine();
      const response = (await open(url)).resume();
      await waiting;
      response.destroy();
      expect(await line).toMatchObject({ bytes: chunk });
      expect(given?.aborted).toBe(true);
    });
  });

  it("is not read ahead of a client that reads slowly", async () => {
    const blob = zeros(200);
    const { server, url } = await servingBlob(blob);
    await using(server, async () => {
      const response = await open(url);
      // What fits into the two socket buffers goes out; then nothing may be asked for any more.
      for (let before = -1; before < blob.state.asked;) {
        before = blob.state.asked;
        for (let i = 0; i < 200; i += 1) await turn();
      }
      expect(blob.state.asked).toBeLessThan(50);
      response.destroy();
    });
  });

  it("stops at the end of a range and closes its source", async () => {
    const blob = zeros(200);
    const { server, url } = await servingBlob(blob);
    await using(server, async () => {
      const part = { range: `bytes=${chunk}-${2 * chunk}` };
      expect(await read(await open(url, part))).toBe(chunk + 1);
      // The first part has had the whole blob read; the next one reads what it is about.
      expect(blob.state).toEqual({ asked: 202, closed: 2 });
      expect(await read(await open(url, part))).toBe(chunk + 1);
      expect(blob.state).toEqual({ asked: 204, closed: 3 });
    });
  });

  it("is no answer in parts when it is damaged anywhere", async () => {
    const { server, url, nextLine } = await servingBlob(zeros(8, 7));
    await using(server, async () => {
      const line = nextLine();
      const response = await open(url, { range: "bytes=0-99" });
      response.resume();
      expect(response.statusCode).toBe(500);
      expect(await line).toMatchObject({ status: 500, cut: "CONTENT_MISMATCH" });
    });
  });

  it("gives no part that has changed since it was read", async () => {
    const blob = zeros(8);
    let changed = false;
    const content: Fetcher = {
      fetch: (descriptor, options) => (changed ? zeros(8, 3) : blob).content.fetch(descriptor, options),
    };
    const { server, url } = await servingBlob({ ...blob, content });
    await using(server, async () => {
      const status = async (range: string) => {
        const response = await open(url, { range });
        response.resume();
        return response.statusCode;
      };
      expect(await status("bytes=0-99")).toBe(206);
      changed = true;
      expect(await status("bytes=0-99")).toBe(206);
      expect(await status(`bytes=${3 * chunk}-${3 * chunk + 1}`)).toBe(500);
    });
  });
});

describe("what is not there", () => {
  const serving = async (items: Seed, content: Fetcher) =>
    serve({ catalog: await bundleCatalog([aLockItem("a.b/c:1", items)], content) });

  it("is a plain 404 for a blob that only the index knows", async () => {
    const store = aStore(image);
    const empty: Fetcher = { fetch: (descriptor, options) => (lost ? aStore() : store).fetch(descriptor, options) };
    let lost = false;
    await using server = await serving(image, empty);
    lost = true;
    const [digest] = [...image.blobs.keys()];
    expect((await fetch(`${server.url}/v2/c/blobs/${digest ?? ""}`)).status).toBe(404);
  });

  it("serves an empty blob", async () => {
    const nothing = aBlob("");
    const { server, url } = await servingBlob({ descriptor: nothing.root, content: aStore(nothing) });
    await using(server, async () => {
      const response = await fetch(url);
      expect([response.status, await response.text()]).toEqual([200, ""]);
    });
  });
});

describe("drain", () => {
  it("lets what runs end, takes nothing new, and resolves when all is closed", async () => {
    const blob = zeros(40);
    const { server, url } = await servingBlob(blob);
    const agent = new http.Agent({ keepAlive: true });
    const [response] = (await once(http.get(url, { agent }), "response")) as [IncomingMessage];
    const drained = server.drain(30);
    await expect(fetch(server.url)).rejects.toThrow();
    expect(await read(response)).toBe(40 * chunk);
    const ended = performance.now();
    await drained;
    // The client keeps its connection; left to itself the server would wait 5 s for another request on it.
    expect(performance.now() - ended).toBeLessThan(4000);
    agent.destroy();
  });

  it("closes what does not end in time", async () => {
    const { server, url } = await servingBlob(zeros(200));
    const response = await open(url);
    const cut = once(response, "error");
    await server.drain(0.05);
    response.resume();
    expect(await cut).toMatchObject([{ code: "ECONNRESET" }]);
  });
});
