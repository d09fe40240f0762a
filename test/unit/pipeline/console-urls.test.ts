import type { Deployment } from "kubernetes-types/apps/v1.js";
import { describe, expect, it } from "vitest";
import type { LockItem } from "../../../src/model/lock.ts";
import { consoleUrls, type Release } from "../../../src/pipeline/console-urls.ts";
import { aWasmPlugin } from "../../rig/graph.ts";
import { aLockItem } from "../../rig/lock-item.ts";

const plugin = (name: string, tag: string, version = "1.0.0", role = "built-in"): LockItem => ({
  ...aLockItem(`public.example/plugins/${name}:${tag}`, aWasmPlugin(), { kind: "plugin", name, version }),
  role,
});
const release: Release = {
  version: "2.2.4",
  items: [plugin("key-auth", "2.0.0"), plugin("mcp-server", "2.0.1"), plugin("own", "1.0.0", "1.0.0", "plugins.yaml")],
  mcpServer: "mcp-server",
};
const deployment = (name: string, env: Readonly<Record<string, string>>): Deployment => ({
  metadata: { name },
  spec: {
    selector: {},
    template: {
      spec: {
        containers: [
          {
            name,
            env: [...Object.entries(env).map(([key, value]) => ({ name: key, value })), { name: "FROM_SECRET" }],
          },
        ],
      },
    },
  },
});
const registry = {
  HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_REGISTRY: "harbor.corp/higress",
  HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_NAMESPACE: "plugins",
};
const pattern = {
  HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN: "http://plugins.corp/plugins/${name}/${version}/plugin.wasm",
};
const urlsOf = (deployments: readonly Deployment[], of = release) => consoleUrls(deployments, of).map(({ url }) => url);

describe("consoleUrls", () => {
  it("makes what the console makes of its environment, for what the console knows", () => {
    expect(urlsOf([deployment("higress-console", registry)])).toEqual([
      "oci://harbor.corp/higress/plugins/key-auth:2.0.0",
      "oci://harbor.corp/higress/plugins/mcp-server:2.0.1",
    ]);
  });

  it("goes by the pattern where there is one, with info.version and not the tag", () => {
    expect(urlsOf([deployment("renamed", { ...registry, ...pattern })])[0]).toBe(
      "http://plugins.corp/plugins/key-auth/1.0.0/plugin.wasm",
    );
  });

  it("knows that an older console does not read the registry", () => {
    const old = { ...release, version: "2.2.0" };
    expect(urlsOf([deployment("higress-console", registry)], old)[0]).toBe(
      "oci://public.example/plugins/key-auth:2.0.0",
    );
  });

  it("says where a console without settings points: to the internet, and which variable is missing", () => {
    expect(consoleUrls([deployment("higress-console", {})], release)[0]).toMatchObject({
      url: "oci://public.example/plugins/key-auth:2.0.0",
      where: "Deployment higress-console",
      path: "env/HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_REGISTRY",
    });
  });

  it("takes the controller's MCP plugin from its environment, or from what its binary holds", () => {
    const url = "oci://harbor.corp/higress/plugins/mcp-server:2.0.1";
    expect(urlsOf([deployment("higress-controller", { MCP_SERVER_WASM_IMAGE_URL: url })])).toEqual([url]);
    expect(urlsOf([deployment("higress-controller", {})])[0]).toMatch(/mcp-server\/all-in-one:1\.0\.0$/);
    expect(urlsOf([deployment("higress-controller", {})], { ...release, mcpServer: undefined })).toEqual([]);
    expect(urlsOf([deployment("higress-gateway", {})])).toEqual([]);
  });
});
