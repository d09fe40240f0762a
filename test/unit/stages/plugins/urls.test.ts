import { describe, expect, it } from "vitest";
import {
  aliases,
  consoleUrl,
  controllerMcpUrl,
  isFormerMcpServer,
  type ConsoleEnv,
} from "../../../../src/stages/plugins/urls.ts";

const official = "higress-registry.cn-hangzhou.cr.aliyuncs.com";
const plugin = (name: string, tag: string, version = tag, repository = name) => ({
  name,
  ref: `${official}/plugins/${repository}:${tag}`,
  version,
});
const keyAuth = plugin("key-auth", "2.0.0", "1.0.0");

describe("consoleUrl", () => {
  const pattern = "http://plugins.corp/plugins/${name}/${version}/plugin.wasm";
  it.each<[string, ConsoleEnv, string, string]>([
    ["the official reference without settings", {}, "2.2.4", `oci://${official}/plugins/key-auth:2.0.0`],
    [
      "the pattern with info.version, not the tag",
      { pattern },
      "2.2.4",
      "http://plugins.corp/plugins/key-auth/1.0.0/plugin.wasm",
    ],
    [
      "the pattern before the registry",
      { pattern, registry: "h.corp/m" },
      "2.2.4",
      "http://plugins.corp/plugins/key-auth/1.0.0/plugin.wasm",
    ],
    ["a fixed URL as it is", { pattern: "file:///opt/plugins/main.wasm" }, "2.2.4", "file:///opt/plugins/main.wasm"],
    [
      "the registry, and keeps the real tag",
      { registry: "harbor.corp:8443/mirror" },
      "2.2.1",
      "oci://harbor.corp:8443/mirror/plugins/key-auth:2.0.0",
    ],
    ["the namespace alone", { namespace: "wasm" }, "2.2.4", `oci://${official}/wasm/key-auth:2.0.0`],
    [
      "nothing of a registry before 2.2.1 knew one",
      { registry: "harbor.corp" },
      "2.2.0",
      `oci://${official}/plugins/key-auth:2.0.0`,
    ],
    ["nothing of a pattern before 2.1.0 knew one", { pattern }, "2.0.4", `oci://${official}/plugins/key-auth:2.0.0`],
    [
      "blank settings as none",
      { pattern: " ", registry: "", namespace: " " },
      "2.2.4",
      `oci://${official}/plugins/key-auth:2.0.0`,
    ],
  ])("takes %s", (_name, env, version, wanted) => {
    expect(consoleUrl(keyAuth, env, version)).toBe(wanted);
  });

  it("moves only oci references with a namespace", () => {
    const env = { registry: "harbor.corp" };
    expect(consoleUrl({ name: "a", ref: "http://x.corp/a/b.wasm" }, env, "2.2.4")).toBe("http://x.corp/a/b.wasm");
    expect(consoleUrl({ name: "a", ref: "x.corp/a:1" }, env, "2.2.4")).toBe("oci://x.corp/a:1");
    expect(consoleUrl({ name: "a", ref: "x.corp/ns/deep/a:1" }, env, "2.2.4")).toBe(
      "oci://harbor.corp/plugins/deep/a:1",
    );
  });

  it("puts a name in as it is, also one that looks like a replacement", () => {
    expect(
      consoleUrl(
        { name: "a$&b", ref: "x.corp/p/a:1", version: "$1" },
        { pattern: "http://x/${name}:${version}" },
        "2.2.4",
      ),
    ).toBe("http://x/a$&b:$1");
  });
});

describe("aliases", () => {
  const of = (...plugins: readonly ReturnType<typeof plugin>[]) => aliases(plugins, { consoleVersion: "2.2.4" });

  it("adds the version of spec.yaml where it is not the tag", () => {
    expect(of(keyAuth).get("key-auth")).toEqual([`${official}/plugins/key-auth:1.0.0`]);
  });

  it("adds the name of spec.yaml where it is not the repository's", () => {
    expect(of(plugin("json-converter", "2.0.1", "2.0.1", "jsonrpc-converter")).get("json-converter")).toEqual([
      `${official}/plugins/json-converter:2.0.1`,
    ]);
  });

  it("adds nothing where everything agrees", () => {
    expect(of(plugin("cors", "2.0.2")).get("cors")).toEqual([]);
  });

  it("never takes the reference of another plugin, nor gives one to two", () => {
    const planned = of(plugin("a", "2", "1"), plugin("b", "1", "1", "a"), plugin("b", "3", "1", "c"));
    expect(planned.get("a")).toEqual([]);
    expect([...planned.values()].flat()).toEqual([...new Set([...planned.values()].flat())]);
  });

  it("makes every reference that a console of any version and setting asks the official registry for answer", () => {
    const plugins = [keyAuth, plugin("json-converter", "2.0.1", "2.0.1", "jsonrpc-converter"), plugin("cors", "2.0.2")];
    const planned = aliases(plugins, { consoleVersion: "2.2.4" });
    for (const each of plugins) {
      const answered = new Set([each.ref, ...(planned.get(each.name) ?? [])]);
      for (const env of [{}, { pattern: `oci://${official}/plugins/\${name}:\${version}` }, { namespace: "plugins" }])
        expect(answered).toContain(consoleUrl(each, env, "2.2.4").slice("oci://".length));
    }
  });

  it("adds what the pattern of a relocation makes of a plugin from another folder", () => {
    const mcp = { name: "mcp-server", ref: `oci://${official}/mcp-server/all-in-one:2.0.0`, version: "1.0.0" };
    const patterns = ["oci://{prefix}/plugins/${name}:${version}"];
    const planned = aliases([mcp, keyAuth], { consoleVersion: "2.1.9", patterns });
    expect(planned.get("mcp-server")).toContain(`${official}/plugins/mcp-server:1.0.0`);
    expect(planned.get("key-auth")).toEqual([`${official}/plugins/key-auth:1.0.0`]);
  });

  it("adds what a console that knows registry and namespace makes of a plugin from another folder", () => {
    const mcp = { name: "mcp-server", ref: `oci://${official}/mcp-server/all-in-one:2.0.0`, version: "1.0.0" };
    const asked = `${official}/plugins/all-in-one:2.0.0`;
    expect(aliases([mcp], { consoleVersion: "2.1.11" }).get("mcp-server")).toContain(asked);
    expect(aliases([mcp], { consoleVersion: "2.1.9" }).get("mcp-server")).not.toContain(asked);
  });

  it("leaves out versions that are no tag", () => {
    expect(of(plugin("a", "1", "not a tag!")).get("a")).toEqual([]);
  });
});

describe("the former name of the MCP server's plugin", () => {
  it.each([
    [`oci://${official}/mcp-server/all-in-one:1.0.0`, true],
    [`${official}/mcp-server/all-in-one:2.0.0`, true],
    [`oci://${official}/plugins/mcp-server:2.0.1`, false],
    [`oci://${official}/plugins/all-in-one:1.0.0`, false],
  ])("%s: %s", (url, former) => {
    expect(isFormerMcpServer(url)).toBe(former);
  });
});

describe("controllerMcpUrl", () => {
  it("is the same fixed reference in every release since there is one", () => {
    expect(controllerMcpUrl("2.2.4")).toBe(`oci://${official}/mcp-server/all-in-one:1.0.0`);
    expect(controllerMcpUrl("2.1.2")).toBe(`oci://${official}/mcp-server/all-in-one:1.0.0`);
    expect(controllerMcpUrl("2.1.1")).toBeUndefined();
  });
});
