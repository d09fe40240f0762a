import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MediaType } from "../../../src/model/media-type.ts";
import { anImage, type Seed } from "../../rig/graph.ts";
import { admin, aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import { aDockerRegistry, type DockerRegistry } from "../../rig/registry-process.ts";

/**
 * The double and the registry behind it, asked the same: where they differ, the difference is one that
 * docs/facts/harbor.md describes, and stands here.
 */
type Body = NonNullable<RequestInit["body"]>;

interface Subject {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const basic = `Basic ${Buffer.from(`${admin.name}:${admin.secret}`).toString("base64")}`;
let harbor: Harbor;
let plain: DockerRegistry;
const subjects: Record<string, Subject> = {};

beforeAll(async () => {
  [harbor, plain] = await Promise.all([aHarbor({ projects: { p: {} } }), aDockerRegistry()]);
  subjects["Harbor"] = { url: harbor.origin, headers: { authorization: basic } };
  subjects["registry"] = { url: plain.url, headers: {} };
});
afterAll(async () => {
  await Promise.all([harbor[Symbol.asyncDispose](), plain[Symbol.asyncDispose]()]);
});

const ask = (name: string, method: string, path: string, init: RequestInit = {}): Promise<Response> => {
  const { url, headers } = subjects[name]!;
  const body = init.body === undefined ? {} : { body: init.body };
  return fetch(new URL(path, url), {
    method,
    redirect: "manual",
    headers: { ...headers, ...(init.headers as Record<string, string>) },
    ...body,
  });
};
const both = async (method: string, path: string, init?: RequestInit): Promise<number[]> => {
  const answers = await Promise.all(["Harbor", "registry"].map((name) => ask(name, method, path, init)));
  return answers.map(({ status }) => status);
};
async function upload(name: string, bytes: Uint8Array, digest: string, repository = "p/a"): Promise<Response> {
  const begun = await ask(name, "POST", `/v2/${repository}/blobs/uploads/`);
  const to = new URL(begun.headers.get("location") ?? "", subjects[name]!.url);
  to.searchParams.set("digest", digest);
  return ask(name, "PUT", to.href, {
    body: bytes as Body,
    headers: { "content-type": "application/octet-stream" },
  });
}
async function store(name: string, seed: Seed): Promise<void> {
  for (const [digest, bytes] of seed.blobs) if (!isDocument(bytes)) await upload(name, bytes, digest);
}
const isDocument = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"schemaVersion"');
const octets = { "content-type": "application/octet-stream" };

describe("the Harbor double answers as the registry behind it", () => {
  it("to an upload, and to a question for the blob", async () => {
    const image = anImage();
    await Promise.all(["Harbor", "registry"].map((name) => store(name, image)));
    const layer = [...image.blobs.keys()].find((digest) => digest !== image.root.digest);
    expect(await both("HEAD", `/v2/p/a/blobs/${layer ?? ""}`)).toEqual([200, 200]);
    expect(await both("HEAD", `/v2/p/other/blobs/${layer ?? ""}`)).toEqual([404, 404]);
  });

  it("to a digest that does not fit, a stale state, and a PATCH of another type", async () => {
    const wrong = `sha256:${"0".repeat(64)}`;
    for (const name of ["Harbor", "registry"]) expect((await upload(name, Buffer.from("x"), wrong)).status).toBe(400);
    for (const name of ["Harbor", "registry"]) {
      const begun = await ask(name, "POST", "/v2/p/a/blobs/uploads/");
      const at = new URL(begun.headers.get("location") ?? "", subjects[name]!.url).href;
      expect((await ask(name, "PATCH", at, { body: "one", headers: octets })).status).toBe(202);
      expect((await ask(name, "PATCH", at, { body: "two", headers: octets })).status).toBe(404);
      const again = await ask(name, "POST", "/v2/p/a/blobs/uploads/");
      const fresh = new URL(again.headers.get("location") ?? "", subjects[name]!.url).href;
      expect((await ask(name, "PATCH", fresh, { body: "x", headers: { "content-type": "text/plain" } })).status).toBe(
        500,
      );
    }
  });

  it("with 301 where the slash is left out, and 202 that ignores a digest in the POST", async () => {
    expect(await both("POST", "/v2/p/a/blobs/uploads")).toEqual([301, 301]);
    expect(await both("POST", `/v2/p/a/blobs/uploads/?digest=sha256:${"1".repeat(64)}`)).toEqual([202, 202]);
  });

  it("to manifests whose content is missing, and whose type is none", async () => {
    const image = anImage({ layers: [{ never: "sent" }] });
    const body = image.blobs.get(image.root.digest) as Body;
    expect(
      await both("PUT", "/v2/p/a/manifests/1", { body, headers: { "content-type": MediaType.ociManifest } }),
    ).toEqual([400, 400]);
    expect(await both("PUT", "/v2/p/a/manifests/1", { body, headers: { "content-type": "application/json" } })).toEqual(
      [400, 400],
    );
  });

  it("to a manifest that is whole: 201, its digest, and 404 to who does not take OCI types", async () => {
    const image = anImage();
    for (const name of ["Harbor", "registry"]) {
      await store(name, image);
      const body = image.blobs.get(image.root.digest) as Body;
      const put = await ask(name, "PUT", "/v2/p/a/manifests/1", {
        body,
        headers: { "content-type": MediaType.ociManifest },
      });
      expect([put.status, put.headers.get("docker-content-digest")]).toEqual([201, image.root.digest]);
      const head = await ask(name, "HEAD", "/v2/p/a/manifests/1", { headers: { accept: MediaType.ociManifest } });
      expect([head.status, head.headers.get("docker-content-digest")]).toEqual([200, image.root.digest]);
      expect((await ask(name, "HEAD", "/v2/p/a/manifests/1", { headers: { accept: "application/json" } })).status).toBe(
        404,
      );
    }
  });
});

describe("the Harbor double answers as core does where the registry would not", () => {
  it("wants to know who asks, by Bearer first and by Basic once anything was said", async () => {
    const stranger = await fetch(`${harbor.origin}/v2/`);
    expect(stranger.headers.get("www-authenticate")).toBe(
      `Bearer realm="${harbor.origin}/service/token",service="harbor-registry"`,
    );
    const wrong = await fetch(`${harbor.origin}/v2/`, { headers: { authorization: "Basic eDp5" } });
    expect([wrong.status, wrong.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="harbor"']);
  });

  it("gives 200 and an empty token to a wrong password with a scope, 401 without one, 405 to POST", async () => {
    const at = `${harbor.origin}/service/token?service=harbor-registry`;
    const headers = { authorization: "Basic eDp5" };
    const scoped = await fetch(`${at}&scope=repository:p/a:pull,push`, { headers });
    const { token, access_token } = (await scoped.json()) as { token: string; access_token: string };
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { access: unknown };
    expect([scoped.status, access_token, claims.access]).toEqual([
      200,
      "",
      [{ type: "repository", name: "p/a", actions: [] }],
    ]);
    expect((await fetch(at, { headers })).status).toBe(401);
    expect((await fetch(at, { method: "POST" })).status).toBe(405);
  });

  it("answers 401 with an empty challenge for a project it does not know and a name it cannot read", async () => {
    for (const path of ["/v2/nowhere/a/blobs/uploads/", "/v2/p/UPPER/blobs/uploads/"]) {
      const answer = await ask("Harbor", "POST", path);
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, ""]);
    }
    expect((await ask("Harbor", "POST", "/v2/nginx/blobs/uploads/")).status).toBe(400);
  });

  it("refuses a write that carries its session cookie", async () => {
    const answer = await fetch(`${harbor.origin}/api/v2.0/projects`, {
      method: "POST",
      headers: { authorization: basic, cookie: "sid=abc", "content-type": "application/json" },
      body: "{}",
    });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("CSRF token")]);
  });
});
