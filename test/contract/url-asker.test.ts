import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import type { Kubectl } from "../../src/edge/process/kubectl.ts";
import { Site } from "../../src/model/site.ts";
import { urlAskerOf } from "../../src/cli/wire/install-ports.ts";
import type { UrlAnswer } from "../../src/stages/check/check.ts";
import { createReporter } from "../../src/ui/reporter.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { seed } from "../rig/seed.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";

const unavailable = dockerRegistryUnavailable();
const host = "harbor.airgap.example:8443";
const plugin = aWasmPlugin({ module: aProxyPlugin() });

interface Asked {
  readonly registry: string;
  /** Who pulls; nobody without. */
  readonly login?: string;
  /** What the API server's proxy has, by path. */
  readonly inside?: Readonly<Record<string, string>>;
}

async function ask({ registry, login, inside = {} }: Asked, ...urls: readonly string[]): Promise<readonly UrlAnswer[]> {
  const credentials = login === undefined ? {} : { credentials: { username: "robot", passwordEnv: "PULL" } };
  const site = Site.parse({
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: { host, project: "higress" },
    pull: credentials,
    registries: { [host]: { endpoints: [{ url: registry }] } },
  });
  const context = {
    env: { PULL: login },
    cwd: "/",
    stdout: { write: () => true },
    signal: new AbortController().signal,
    reporter: createReporter({ mode: "json", language: "en", write: () => undefined, columns: () => 80, now: () => 0 }),
    language: "en" as const,
    now: () => new Date(0),
  };
  const kubectl = { raw: (path: string) => Promise.resolve(inside[path]) } as unknown as Kubectl;
  await using asker = urlAskerOf({ site, sitePath: "/site.yaml" }, { kubectl }, context);
  return await Promise.all(urls.map((url) => asker.ask(url)));
}

describe.skipIf(unavailable !== undefined)(`asking a real registry${unavailable ?? ""}`, () => {
  it("tells the digest behind a plugin's URL, and 404 where there is none", async () => {
    await using registry = await aDockerRegistry();
    await seed(registry.url, { "public.example/higress/plugins/key-auth:1.0.0": plugin });
    const urls = ["key-auth:1.0.0", "key-auth:2.0.0", "waf:1.0.0"].map(
      (name) => `oci://${host}/higress/plugins/${name}`,
    );
    const loud = `OCI://${host}/higress/plugins/key-auth:1.0.0`;
    expect(await ask({ registry: registry.url }, loud, ...urls)).toEqual([
      { state: "answers", digest: plugin.root.digest },
      { state: "answers", digest: plugin.root.digest },
      { state: "refused", answer: "404" },
      { state: "refused", answer: "404" },
    ]);
  });

  it("asks with the credential that the cluster pulls with, and says when that one is refused", async () => {
    await using registry = await aDockerRegistry({ htpasswd: { user: "robot", password: "right" } });
    const url = `oci://${host}/higress/plugins/key-auth:1.0.0`;
    expect(await ask({ registry: registry.url, login: "right" }, url)).toEqual([{ state: "refused", answer: "404" }]);
    const [wrong] = await ask({ registry: registry.url, login: "wr0ng-pull-password" }, url);
    expect(wrong).toMatchObject({
      state: "refused",
      answer: expect.stringContaining("REGISTRY_LOGIN_WRONG") as string,
    });
    expect(JSON.stringify(wrong)).not.toContain("wr0ng-pull-password");
  });
});

describe("asking a plugin server", () => {
  it("goes by HEAD, so that no module is fetched, and tells the status of what is not there", async () => {
    const methods: string[] = [];
    const server = createServer((request, response) => {
      methods.push(request.method ?? "");
      response.statusCode = request.url === "/plugins/key-auth/1.0.0/plugin.wasm" ? 200 : 403;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const at = `http://127.0.0.1:${port}`;
    const urls = [
      `${at}/plugins/key-auth/1.0.0/plugin.wasm`,
      `${at}/waf.wasm`,
      "http://127.0.0.1:1/waf.wasm",
      "http://[",
    ];
    const answers = await ask({ registry: "http://127.0.0.1:1" }, ...urls);
    server.closeAllConnections();
    server.close();
    expect(answers).toEqual([
      { state: "answers" },
      { state: "refused", answer: "403" },
      { state: "refused", answer: expect.stringContaining("ECONNREFUSED") as string },
      { state: "refused", answer: "no URL" },
    ]);
    expect(methods).toEqual(["HEAD", "HEAD"]);
  });

  it("goes through the API server for a name that only the cluster knows, to the small file beside the module", async () => {
    const metadata = "/api/v1/namespaces/apps/services/plugins:80/proxy/plugins/key-auth/1.0.0/metadata.txt";
    const url = (name: string) => `http://plugins.apps.svc/plugins/${name}/1.0.0/plugin.wasm`;
    const [there, gone] = await ask(
      { registry: "http://127.0.0.1:1", inside: { [metadata]: "Plugin Name: key-auth" } },
      url("key-auth"),
      url("waf"),
    );
    expect(there).toEqual({ state: "answers" });
    expect(gone).toEqual({ state: "not-asked", command: `kubectl get --raw ${metadata.replace("key-auth", "waf")}` });
  });
});
