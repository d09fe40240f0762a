import { describe, expect, it } from "vitest";
import type { PluginSelection } from "../../../../src/model/spec.ts";
import { selectPlugins } from "../../../../src/stages/plugins/select.ts";

const list = [
  ...["ai-proxy", "ai-cache", "model-router", "mcp-server"].map((name) => ({
    name,
    ref: `r.corp/p/${name}:1`,
    category: "ai",
  })),
  ...["key-auth", "jwt-auth"].map((name) => ({ name, ref: `r.corp/p/${name}:1`, category: "auth" })),
  { name: "cors", ref: "r.corp/p/cors:1" },
];
const select = (selection: Partial<PluginSelection>) =>
  selectPlugins(list, { preset: "all", include: [], exclude: [], ...selection }).map(({ name }) => name);

describe("selectPlugins", () => {
  it.each<[string, Partial<PluginSelection>, readonly string[]]>([
    ["all of them", {}, list.map(({ name }) => name)],
    ["all but one", { exclude: ["cors", "auth"] }, ["ai-proxy", "ai-cache", "model-router", "mcp-server"]],
    ["one by name", { preset: "none", include: ["cors"] }, ["cors"]],
    ["a category", { preset: "none", include: ["auth"] }, ["key-auth", "jwt-auth"]],
    [
      "what an AI gateway needs, as far as this release has it",
      { preset: "ai-gateway" },
      ["ai-proxy", "model-router", "mcp-server", "key-auth"],
    ],
    [
      "a preset with one more",
      { preset: "ai-gateway", include: ["cors"], exclude: ["key-auth"] },
      ["ai-proxy", "model-router", "mcp-server", "cors"],
    ],
    ["a category but one of it", { preset: "none", include: ["auth"], exclude: ["jwt-auth"] }, ["key-auth"]],
    ["none", { preset: "none" }, []],
  ])("takes %s", (_name, selection, wanted) => {
    expect(select(selection)).toEqual(wanted);
  });

  it("tells all names that nothing has, with those that are near", () => {
    const wrong = { include: ["ai-proxi", "zzzzzzzzz"], exclude: ["router"] };
    expect(() => select(wrong)).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        facts: {
          file: "plugins.include, plugins.exclude",
          problems: "ai-proxi (ai-proxy?)\nzzzzzzzzz\nrouter (model-router?)",
        },
      }) as Error,
    );
  });
});
