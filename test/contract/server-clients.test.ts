import { execFile } from "node:child_process";
import { readFile, mkdtemp, rm, readdir } from "node:fs/promises";
import https from "node:https";
import { once } from "node:events";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bundleCatalog } from "../../src/content/bundle-catalog.ts";
import { pluginTree } from "../../src/content/plugin-tree.ts";
import { serve, type ServeOptions } from "../../src/edge/server/server.ts";
import { hexOf } from "../../src/model/digest.ts";
import { MediaType } from "../../src/model/media-type.ts";
import { anImage, anIndex, aModule, aStore, aWasmPlugin } from "../rig/graph.ts";
import { aChart } from "../rig/builders/charts.ts";
import { aLockItem } from "../rig/lock-item.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const run = promisify(execFile);
const index = anIndex([anImage(), anImage({ architecture: "arm64", layers: [{ "bin/a": "arm" }] })]);
const docker = anIndex([anImage({ docker: true })], MediaType.dockerList);
const plugin = aWasmPlugin({ module: aModule("cors") });
const chart = aChart({ name: "higress", version: "2.2.4" });
const items = [
  aLockItem("quay.io/higress/gateway:2.2.4", index),
  aLockItem("docker.io/library/redis:7", docker),
  aLockItem("hub.corp:8443/plugins/cors:2.0.2", plugin, { kind: "plugin", name: "cors", version: "1.0.0" }),
  aLockItem("higress.io/helm-charts/higress:2.2.4", chart, { kind: "chart" }),
];
const store = aStore(index, docker, plugin, chart);

async function serving(options: ServeOptions = {}) {
  return serve({ catalog: await bundleCatalog(items, store), plugins: await pluginTree(items, store), ...options });
}

async function aDirectory() {
  const path = await mkdtemp(join(tmpdir(), "higress-airgap-pull-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe("skopeo", () => {
  it.each([
    ["quay.io/higress/gateway:2.2.4", index],
    ["higress/gateway:2.2.4", index],
    [`library/redis@${docker.root.digest}`, docker],
    ["hub.corp_8443/plugins/cors:2.0.2", plugin],
  ])("copies %s with every byte", async (name, seed) => {
    await using server = await serving();
    await using to = await aDirectory();
    const source = `docker://127.0.0.1:${server.port}/${name}`;
    await run("skopeo", ["copy", "--all", "--preserve-digests", "--src-tls-verify=false", source, `dir:${to.path}`]);
    const files = new Set(await readdir(to.path));
    const manifest = await readFile(join(to.path, "manifest.json"));
    expect(manifest.equals(seed.blobs.get(seed.root.digest)!)).toBe(true);
    const named = [...seed.blobs.keys()].filter((digest) => files.has(hexOf(digest)));
    expect(named.length).toBeGreaterThanOrEqual(2);
    for (const digest of named)
      expect((await readFile(join(to.path, hexOf(digest)))).equals(seed.blobs.get(digest)!)).toBe(true);
  });

  it("inspects the raw manifest, and lists tags", async () => {
    await using server = await serving();
    const name = `docker://127.0.0.1:${server.port}/higress/gateway`;
    const { stdout } = await run("skopeo", ["inspect", "--raw", "--tls-verify=false", `${name}:2.2.4`]);
    expect(Buffer.from(stdout).equals(index.blobs.get(index.root.digest)!)).toBe(true);
    const listed = await run("skopeo", ["list-tags", "--tls-verify=false", name]);
    expect(JSON.parse(listed.stdout)).toMatchObject({ Tags: ["2.2.4"] });
  });

  it("cannot push", async () => {
    await using server = await serving();
    const to = `docker://127.0.0.1:${server.port}`;
    const args = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
    await expect(run("skopeo", [...args, `${to}/higress/gateway:2.2.4`, `${to}/new/name:1`])).rejects.toThrow(
      /read-only|405|unsupported/i,
    );
  });

  it("pulls over TLS from who it trusts, and with the right password only", async () => {
    await using authority = await aCertificateAuthority();
    await using certificates = await aDirectory();
    await run("cp", [authority.caFile, join(certificates.path, "ca.crt")]);
    const login = { username: "robot$pull", password: "pa:ss wörd" };
    await using server = await serving({ tls: authority.tls, login });
    const inspect = (credentials: string) =>
      run("skopeo", [
        "inspect",
        "--raw",
        `--cert-dir=${certificates.path}`,
        `--creds=${credentials}`,
        `docker://127.0.0.1:${server.port}/higress/gateway:2.2.4`,
      ]);
    expect((await inspect("robot$pull:pa:ss wörd")).stdout).toContain('"manifests"');
    await expect(inspect("robot$pull:wrong")).rejects.toThrow(/authentication required|unauthorized/);
  });
});

describe("the plugin server", () => {
  it("answers as nginx would to the agent", async () => {
    await using server = await serving();
    for (const path of ["/plugins/cors/1.0.0/plugin.wasm", "/plugins/cors/2.0.2/plugin.wasm", "/cors.wasm"]) {
      const response = await fetch(server.url + path);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/wasm"]);
      expect(Buffer.from(await response.arrayBuffer())).toEqual(aModule("cors"));
    }
    const inventory = await fetch(`${server.url}/plugins/snapshot-inventory.json`);
    expect(inventory.headers.get("content-type")).toBe("application/json");
    expect(await inventory.json()).toHaveProperty("cors");
    expect((await fetch(`${server.url}/plugins/cors/9/plugin.wasm`)).status).toBe(404);
  });
});

describe("the login", () => {
  it("is asked for everywhere but at /healthz, and takes nothing but itself", async () => {
    await using server = await serving({ login: { username: "u", password: "p" } });
    const status = async (path: string, authorization?: string) =>
      (await fetch(server.url + path, authorization === undefined ? {} : { headers: { authorization } })).status;
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    expect(await status("/healthz")).toBe(200);
    for (const path of ["/v2/", "/v2/_catalog", "/cors.wasm", "/%", "/healthz/"]) expect(await status(path)).toBe(401);
    for (const wrong of ["", "Basic", "Basic =", "Bearer x", basic("u:"), basic("u:pp"), basic("up"), basic(":")])
      expect(await status("/v2/", wrong)).toBe(401);
    expect(await status("/v2/", basic("u:p"))).toBe(200);
  });
});

describe("an address", () => {
  it("that cannot be listened on is a failure that names it", async () => {
    await using first = await serving();
    await expect(serving({ port: first.port })).rejects.toMatchObject({
      code: "SERVER_UNUSABLE",
      facts: { address: `127.0.0.1:${first.port}`, reason: "EADDRINUSE" },
    });
  });

  it("with a key of another certificate is one too, and its text has no key in it", async () => {
    await using ours = await aCertificateAuthority();
    await using theirs = await aCertificateAuthority();
    const failed = serving({ tls: { cert: ours.tls.cert, key: theirs.tls.key } });
    await expect(failed).rejects.toMatchObject({ code: "SERVER_UNUSABLE" });
    await expect(failed).rejects.not.toThrow(/PRIVATE/);
  });

  it("speaks TLS to clients that trust its CA", async () => {
    await using authority = await aCertificateAuthority();
    await using server = await serving({ tls: authority.tls });
    const ca = await readFile(authority.caFile);
    const [response] = (await once(https.get(`${server.url}/v2/`, { ca, agent: false }), "response")) as [
      { statusCode: number; resume(): void },
    ];
    response.resume();
    expect(response.statusCode).toBe(200);
  });
});

describe("hostile requests", () => {
  /** Sends bytes as they are; what comes back until the server closes. */
  const raw = async (port: number, text: string): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    socket.end(text, "latin1");
    let answer = "";
    socket.on("data", (data) => (answer += data.toString("latin1")));
    socket.on("error", () => undefined);
    await once(socket, "close");
    return answer;
  };
  const corpus = [
    "/../../../../etc/passwd",
    "/plugins/../../../etc/passwd",
    "/plugins/%2e%2e/%2e%2e/etc/passwd",
    "/plugins/cors/1.0.0/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/v2/../../etc/passwd/manifests/latest",
    "/v2/a/blobs/sha256:../../../../etc/passwd",
    "/v2/%00/tags/list",
    "/v2//manifests//",
    "/v2/__proto__/tags/list",
    "/v2/constructor/manifests/constructor",
    "/__proto__.wasm",
    `/v2/${"manifests/".repeat(1500)}x`,
    `/v2/${"a/".repeat(7000)}tags/list`,
    "/%",
    "/%ff%fe",
    "/?ns=%0d%0aX:%201",
    "/v2/higress/gateway/tags/list?n=1e9",
    "/v2/higress/gateway/tags/list?n=1&last=%0d%0aSet-Cookie:%20a&x=%0d%0a",
    "http://169.254.169.254/latest",
    "*",
  ];

  it.each(corpus)("answers %s from its tables, quickly and in one piece", async (path) => {
    await using server = await serving();
    const answer = await raw(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (200|400|404) /);
    expect(answer).not.toMatch(/root:x:|set-cookie: a/i);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it("survives anything that is sent to it", async () => {
    await using server = await serving();
    const header = fc.constantFrom("Range", "If-None-Match", "If-Range", "Accept", "Authorization", "Content-Length");
    const text = fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "HEAD", "PUT", "X"),
        text,
        header,
        text,
        async (method, path, name, value) => {
          await raw(
            server.port,
            `${method} /${path} HTTP/1.1\r\nHost: x\r\n${name}: ${value}\r\nConnection: close\r\n\r\n`,
          );
          expect((await fetch(`${server.url}/v2/`)).status).toBe(200);
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  });

  it("refuses a push before its body is sent", async () => {
    await using server = await serving();
    const head = "PUT /v2/a/manifests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n";
    const answer = await raw(server.port, head);
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).not.toContain("100 Continue");
  });
});
