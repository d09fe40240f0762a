import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpGet } from "../../src/edge/charts/http.ts";
import { chartVersions, pullChart, type ChartPorts } from "../../src/edge/charts/pull.ts";
import { connectTransport } from "../../src/edge/registry/connect.ts";
import { UndiciTransport } from "../../src/edge/registry/undici-transport.ts";
import type { Registries } from "../../src/model/spec.ts";
import { packSampleChart, sampleChart } from "../rig/charts/pack.ts";
import { aProxyServer } from "../rig/proxy-server.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

let folder = "";
let file = "";
let archive = Buffer.alloc(0);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chart-sources-test-"));
  file = await packSampleChart(folder);
  archive = await readFile(file);
});
afterAll(async () => {
  await transport.close();
  await rm(folder, { recursive: true, force: true });
});

const { name, version } = sampleChart;
const transport = new UndiciTransport({ ca: [], insecure: false, env: {}, connections: 4, stallSeconds: 30 });
const ports: ChartPorts = {
  get: httpGet({ transport: () => Promise.resolve(transport), retry: { baseDelay: 1, maxDelay: 2 } }),
  pullOci: (reference) => Promise.reject(new Error(reference)),
};
const pull = (from: string, more: object = {}) => pullChart({ name, version, from, ...more }, ports);
const index = (digest: string, url = "charts/x.tgz"): string =>
  `apiVersion: v1\nentries:\n  higress:\n    - {version: 0.0.9, urls: [old.tgz]}\n    - version: ${version}\n      digest: ${digest}\n      urls: [${url}]\n`;
const sha256 = (): string => createHash("sha256").update(archive).digest("hex");

interface Repository extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly string[];
}

async function aRepository(
  routes: Readonly<Record<string, string | Uint8Array | RequestListener>>,
): Promise<Repository> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const route = routes[request.url ?? ""];
    if (typeof route === "function") route(request, response);
    else response.writeHead(route === undefined ? 404 : 200).end(route);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo`,
    asked,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

describe("pullChart", () => {
  it("brings the chart of a repository, byte for byte, held against the index's digest", async () => {
    await using repository = await aRepository({ "/repo/index.yaml": index(sha256()), "/repo/charts/x.tgz": archive });
    const pulled = await pull(repository.url);
    expect(Buffer.from(pulled.bytes).equals(archive)).toBe(true);
    expect(pulled.chart).toMatchObject({ name, version, appVersion: "1.0.0", newest: 0 });
    expect(pulled.chart.crds.map((crd) => crd.name)).toEqual([
      "higress/charts/higress-core/crds/mcpbridges.yaml",
      "higress/charts/higress-core/crds/wasmplugins.yaml",
    ]);
    expect(repository.asked).toEqual(["/repo/index.yaml", "/repo/charts/x.tgz"]);
  });

  it("refuses bytes that are not the index's, and asks no mirror to cover for them", async () => {
    await using repository = await aRepository({
      "/repo/index.yaml": index("0".repeat(64)),
      "/repo/charts/x.tgz": archive,
    });
    await using mirror = await aRepository({ "/repo/index.yaml": index(sha256()), "/repo/charts/x.tgz": archive });
    await expect(pull(repository.url, { mirrors: [mirror.url] })).rejects.toMatchObject({ code: "CONTENT_MISMATCH" });
    expect(mirror.asked).toEqual([]);
  });

  it("asks the mirrors in turn when a source has nothing or is away", async () => {
    await using empty = await aRepository({});
    await using mirror = await aRepository({ "/repo/index.yaml": index(sha256()), "/repo/charts/x.tgz": archive });
    const pulled = await pull("http://127.0.0.1:9/repo", { mirrors: [empty.url, mirror.url] });
    expect(pulled.from).toBe(mirror.url);
  });

  it("says which versions there are when the one asked for is not", async () => {
    await using repository = await aRepository({ "/repo/index.yaml": index(sha256()) });
    const wrong = pullChart({ name, version: "9.9.9", from: repository.url }, ports);
    await expect(wrong).rejects.toMatchObject({
      code: "CHART_UNUSABLE",
      facts: { why: expect.stringContaining("0.0.9, 2.2.4") as string },
    });
  });

  it.each(["file:///etc/passwd", "data:text/plain", "ftp://charts.example/x.tgz"])(
    "takes a chart of an index from web addresses only, not from %s",
    async (url) => {
      await using repository = await aRepository({ "/repo/index.yaml": index(sha256(), url) });
      await expect(pull(repository.url)).rejects.toMatchObject({
        code: "CHART_UNUSABLE",
        facts: { why: `${repository.url}/index.yaml: urls: ${url}` },
      });
    },
  );

  it.each(["{}", "index.tgz", "[]", "[{a: b}]", "null"])(
    "says that an index has no address where it has %s",
    async (urls) => {
      const text = index(sha256()).replace("[charts/x.tgz]", urls);
      await using repository = await aRepository({ "/repo/index.yaml": text, "/repo/i": "not this one" });
      await expect(pull(repository.url)).rejects.toMatchObject({
        code: "CHART_UNUSABLE",
        facts: { why: `${repository.url}/index.yaml: ${version}: urls` },
      });
    },
  );

  it("says of what is no address that it is none, for its versions, too", async () => {
    const refused = { code: "CHART_UNUSABLE", facts: { why: "https://[: no URL" } };
    await expect(pull("https://[")).rejects.toMatchObject(refused);
    const none = { get: ports.get, tags: () => Promise.resolve([]) };
    await expect(chartVersions({ name, from: "https://[" }, none)).rejects.toMatchObject(refused);
  });

  it("refuses another chart under the name that was asked for", async () => {
    await expect(pullChart({ name: "other", version, from: file }, ports)).rejects.toMatchObject({
      code: "CHART_UNUSABLE",
    });
    await expect(pull(join(folder, "none.tgz"))).rejects.toMatchObject({ code: "FILE_MISSING" });
  });

  it.each([
    ["oci://r.example.com/charts", "oci://r.example.com/charts/higress:2.2.4"],
    ["oci://r.example.com/charts/higress", "oci://r.example.com/charts/higress:2.2.4"],
    ["oci://r.example.com:5000/charts/", "oci://r.example.com:5000/charts/higress:2.2.4"],
    ["oci://r.example.com/charts/higress:9", "oci://r.example.com/charts/higress:9"],
  ])("asks the registry of %s for %s", async (from, reference) => {
    await expect(pull(from)).rejects.toThrow(reference);
  });
});

describe("httpGet", () => {
  it("tells what is no HTTP in the place of a body as trouble with the server, and not as a mistake of ours", async () => {
    const broken: RequestListener = (request) => {
      request.socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n");
    };
    await using repository = await aRepository({ "/repo/x.tgz": broken });
    const facts = { reason: expect.stringMatching(/^HTTPParserError .*chunk/) as string };
    await expect(pull(`${repository.url}/x.tgz`)).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE", facts });
  });

  const get = ports.get;

  it("comes back after a busy answer and a cut body", async () => {
    let times = 0;
    await using repository = await aRepository({
      "/repo/a": (_request, response) => {
        times += 1;
        if (times === 1) response.writeHead(503).end("busy");
        else if (times === 2)
          response.writeHead(200, { "content-length": 100 }).write("part", () => response.destroy());
        else response.end("whole");
      },
    });
    expect(Buffer.from(await get(`${repository.url}/a`, { limit: 10 })).toString()).toBe("whole");
    expect(times).toBe(3);
  });

  it("follows redirects, but not for ever", async () => {
    await using repository = await aRepository({
      "/repo/a": (_request, response) => response.writeHead(302, { location: "/repo/b" }).end(),
      "/repo/b": "here",
      "/repo/loop": (_request, response) => response.writeHead(302, { location: "/repo/loop" }).end(),
      "/repo/nowhere": (_request, response) => response.writeHead(302, { location: "https://[" }).end(),
    });
    expect(Buffer.from(await get(`${repository.url}/a`, { limit: 10 })).toString()).toBe("here");
    for (const path of ["loop", "nowhere"])
      await expect(get(`${repository.url}/${path}`, { limit: 10 })).rejects.toMatchObject({
        code: "REGISTRY_PROTOCOL",
      });
  });

  it("reads no more than it was told", async () => {
    await using repository = await aRepository({ "/repo/a": "x".repeat(100) });
    await expect(get(`${repository.url}/a`, { limit: 99 })).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
  });

  it.each([
    [404, "REGISTRY_NOT_FOUND"],
    [401, "REGISTRY_UNAUTHORIZED"],
    [403, "REGISTRY_DENIED"],
    [418, "REGISTRY_REFUSED"],
    [502, "REGISTRY_BUSY"],
  ])("gives %i as %s, without what the answer's credentials were", async (status, code) => {
    await using repository = await aRepository({
      "/repo/a": (_request, response) => response.writeHead(status).end("token=hunter2\u001b[31m"),
    });
    const error: unknown = await get(`${repository.url}/a`, { limit: 10 }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code });
    expect(JSON.stringify(error)).not.toMatch(/hunter2|\\u001b/);
  });

  it("stops waiting when it is told to", async () => {
    await using repository = await aRepository({ "/repo/a": () => undefined });
    const stop = new AbortController();
    const waiting = get(`${repository.url}/a`, { limit: 10, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

describe("a chart repository of a company", () => {
  it("is reached through its proxy, and trusted with its own CA only", async () => {
    await using authority = await aCertificateAuthority();
    const tls = { key: await readFile(authority.keyFile), cert: await readFile(authority.certFile) };
    const server = createTlsServer(tls, (_request, response) => response.end("index"));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using proxy = await aProxyServer();
    const ask = async (registries: Registries): Promise<Uint8Array> => {
      const options = { registries, baseDirectory: folder, env: { https_proxy: proxy.url }, side: "source" } as const;
      const own = await connectTransport(host, options);
      const get = httpGet({ transport: () => Promise.resolve(own), retry: { attempts: 1 } });
      return get(`https://${host}/index.yaml`, { limit: 10 }).finally(() => own.close());
    };
    try {
      const endpoint = { url: `https://${host}`, insecure: false, ca: authority.caFile };
      expect(Buffer.from(await ask({ [host]: { endpoints: [endpoint] } })).toString()).toBe("index");
      expect(proxy.asked).toEqual([`CONNECT ${host}`]);
      await expect(ask({})).rejects.toMatchObject({ code: "REGISTRY_TLS", facts: { host } });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
