import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

import { describe, expect, it } from "vitest";

import { imageName } from "../rig/kubelet/reference.ts";
import { pull, type PullOptions } from "../rig/kubelet/pull.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { pushTinyImage } from "../rig/tiny-image.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const robot = { user: "robot$pull", password: "a:colon in it" };
const credentials = `${robot.user}:${robot.password}`;
const encoded = Buffer.from(credentials).toString("base64");
const repository = "higress/gateway";
const image = "harbor.test/higress/gateway:1";

const pulling = (options: Pick<PullOptions, "registries"> & Partial<PullOptions>) => {
  const named = options.image ?? image;
  return pull({ name: imageName(named), credentials: [], architecture: "amd64", ...options, image: named });
};

describe.skipIf(dockerRegistryUnavailable())("the simulated pull, against docker-registry", () => {
  it("finds an image and the digest of its name", async () => {
    await using registry = await aDockerRegistry();
    const digest = await pushTinyImage({ url: registry.url, repository, tag: "1", architecture: "amd64" });
    const registries = { hosts: { "harbor.test": registry.url } };
    await expect(pulling({ registries })).resolves.toEqual({ digest, architecture: "amd64" });
    await expect(pulling({ registries, image: `harbor.test/${repository}@${digest}` })).resolves.toMatchObject({
      digest,
    });
  });

  it("takes the node's platform out of an index, and says so when it is not in there", async () => {
    await using registry = await aDockerRegistry();
    const digest = await pushTinyImage({ url: registry.url, repository, tag: "1", indexFor: "arm64" });
    const registries = { hosts: { "harbor.test": registry.url } };
    await expect(pulling({ registries, architecture: "arm64" })).resolves.toMatchObject({ digest });
    await expect(pulling({ registries })).rejects.toThrow(
      `failed to pull and unpack image "${image}": no match for platform in manifest: not found`,
    );
  });

  it("names the cause as containerd does when the image or its registry is not there", async () => {
    await using registry = await aDockerRegistry();
    const registries = { hosts: { "harbor.test": registry.url, "closed.test": "https://127.0.0.1:1" } };
    const failed = (name: string, why: string) =>
      expect(pulling({ registries, image: name })).rejects.toThrow(
        `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${why}`,
      );
    await failed(image, `${image}: not found`);
    await failed(
      "nginx",
      `failed to do request: Get "https://docker.io/v2/library/nginx/manifests/latest": dial tcp: lookup docker.io`,
    );
    await failed(
      "closed.test/a:1",
      `failed to do request: Get "https://closed.test/v2/a/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused`,
    );
  });

  it("needs credentials that the registry takes", async () => {
    await using registry = await aDockerRegistry({ htpasswd: robot });
    await pushTinyImage({ url: registry.url, repository, tag: "1", credentials });
    const registries = { hosts: { "harbor.test": registry.url } };
    await expect(pulling({ registries })).rejects.toThrow("authorization failed: no basic auth credentials");
    await expect(pulling({ registries, credentials: ["d3Jvbmc6b25l"] })).rejects.toThrow("401 Unauthorized");
    await expect(pulling({ registries, credentials: ["d3Jvbmc6b25l", encoded] })).resolves.toBeDefined();
  });

  it("trusts a private authority only when told to", async () => {
    await using authority = await aCertificateAuthority({ names: ["harbor.test"] });
    await using registry = await aDockerRegistry({ tls: authority });
    const hosts = { "harbor.test": registry.url, "other.test": registry.url };
    const ca = await readFile(authority.caFile, "utf8");
    await expect(pulling({ registries: { hosts } })).rejects.toThrow("x509: certificate signed by unknown authority");
    await expect(pulling({ registries: { hosts, ca } })).rejects.toThrow(`${image}: not found`);
    const other = pulling({ registries: { hosts, ca }, image: "other.test/a:1" });
    await expect(other).rejects.toThrow("x509: certificate is not valid for any names");
    const plain = pulling({ registries: { hosts: { "harbor.test": registry.url.replace("https:", "http:") } } });
    await expect(plain).rejects.toThrow("400 Bad Request");
  });
});

it("the simulated pull answers a Bearer challenge with a token of its realm", async () => {
  await using hub = await aTokenHub();
  const registries = { hosts: { "harbor.test": hub.url } };
  await expect(pulling({ registries, credentials: [encoded] })).resolves.toBeDefined();
  expect(hub.scopes).toEqual([`repository:${repository}:pull`]);
  await expect(pulling({ registries, credentials: ["d3Jvbmc6b25l"] })).rejects.toThrow(
    `failed to authorize: failed to fetch oauth token: unexpected status from GET request to`,
  );
  await expect(pulling({ registries })).rejects.toThrow(
    "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope",
  );
});

/** As Harbor does: a token for anybody who gives no password, and it is refused only when it is used. */
async function aTokenHub() {
  const scopes: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://harbor.test");
    const { authorization } = request.headers;
    const challenge = 'Bearer realm="http://harbor.test/service/token",service="harbor-registry"';
    if (url.pathname === "/service/token") {
      const good = authorization === `Basic ${encoded}`;
      if (authorization !== undefined && !good) return void response.writeHead(401).end();
      if (good) scopes.push(url.searchParams.get("scope") ?? "");
      return void response.end(JSON.stringify({ token: good ? "good" : "nobody's" }));
    }
    if (authorization === "Bearer good") return void response.end(JSON.stringify({ schemaVersion: 2, layers: [] }));
    const refusal = authorization === undefined ? "" : ',error="insufficient_scope"';
    response.writeHead(401, { "www-authenticate": challenge + refusal }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    scopes,
    url: `http://127.0.0.1:${String(typeof address === "object" ? address?.port : "")}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
