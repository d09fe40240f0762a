import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { isOfComposeSet } from "../../../../src/stages/standalone/compose.ts";
import {
  environmentOf,
  builtInPattern,
  checkPattern,
  fillPattern,
} from "../../../../src/stages/standalone/environment.ts";
import { standaloneKit, type StandaloneInput } from "../../../../src/stages/standalone/kit.ts";
import { composeText, yamlText } from "../../../../src/std/shell-word.ts";

const pattern = "http://10.0.0.5:5000/plugins/${name}/${version}/plugin.wasm";
const carried = [
  { name: "mcp-server", version: "2.0.1" },
  { name: "ai-proxy", version: "2.0.1" },
];
const input: StandaloneInput = {
  image: "quay.io/higress/all-in-one:2.2.4",
  archives: ["images/all-in-one.tar"],
  dataElsewhere: "elsewhere",
  plugins: { from: "url", pattern },
  carried,
};
const fileOf = (given: StandaloneInput, name: string) =>
  standaloneKit(given).files.find((file) => file.name === name)?.text ?? "";

describe("checkPattern", () => {
  it.each([
    [pattern, []],
    ["http://plugins.corp/${name}.wasm", []],
    ["oci://harbor.corp/higress/plugins/${name}:${version}", []],
    [builtInPattern, []],
    ["file:///opt/plugins/main.wasm", ["no ${name}"]],
    ["http://plugins.corp/{name}.wasm", ["no ${name}"]],
    ["http://plugins.corp/$name.wasm", ["no ${name}", "$name"]],
    ["http://plugins.corp/${name}/${tag}.wasm", ["${tag}"]],
    ["http://plugins.corp/$${name}.wasm", ["$"]],
    ["http://plugins.corp/\\${name}.wasm", ["\\${name}"]],
    ["http://plugins.corp/plugins///plugin.wasm", ["no ${name}", "//"]],
    ["file:///opt/plugins/${name}.wasm", []],
    ["h.corp/m/${name}", []],
    ["http://plugins.corp/${name}.wasm\n", ["white space"]],
    ["ftp://plugins.corp/${name}.wasm", ["ftp://"]],
  ])("of %j finds %j", (text, why) => {
    expect(checkPattern(text).map(({ facts }) => (facts as { why?: string }).why)).toEqual(why);
  });

  it.each(["localhost:5000", "127.0.0.1", "[::1]:5000", "0.0.0.0:5000", "LOCALHOST", "me:pw@localhost"])(
    "knows that %s is the container itself",
    (host) => {
      expect(checkPattern(`http://${host}/\${name}.wasm`)).toMatchObject([
        { severity: "error", code: "plugin.url-loopback" },
      ]);
    },
  );
});

describe("environmentOf", () => {
  it("names the pattern, and the MCP server's plugin by the same pattern", () => {
    const { variables, findings } = environmentOf(input);
    expect([...variables]).toEqual([
      ["HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN", pattern],
      ["MCP_SERVER_WASM_IMAGE_URL", "http://10.0.0.5:5000/plugins/mcp-server/2.0.1/plugin.wasm"],
    ]);
    expect(findings).toEqual([]);
  });

  it("says so when the MCP server's plugin is not carried, instead of leaving a URL that points outside unsaid", () => {
    const { variables, findings } = environmentOf({ ...input, carried: [] });
    expect(variables.has("MCP_SERVER_WASM_IMAGE_URL")).toBe(false);
    expect(findings).toMatchObject([{ severity: "warning", code: "plugin.not-carried" }]);
  });

  it("adds a CA to the roots of the image instead of replacing them", () => {
    expect(environmentOf({ ...input, caFile: "ca.crt" }).variables.get("SSL_CERT_DIR")).toMatch(/^\/etc\/ssl\/certs:/);
  });
});

describe("standaloneKit", () => {
  it("lays each carried plugin over the image's own server, and asks that by localhost", () => {
    const kit = standaloneKit({ ...input, plugins: { from: "directory", directory: "plugins-tree" } });
    expect(kit.findings).toEqual([]);
    expect(kit.files.map(({ name, mode }) => [name, mode])).toEqual([
      ["run.sh", 0o755],
      ["remove.sh", 0o755],
      ["higress.env", 0o644],
      ["compose.yaml", 0o644],
    ]);
    const [script = "", , env, compose] = kit.files.map(({ text }) => text);
    expect(script).toContain('"$PWD"/plugins-tree/plugins/ai-proxy:/usr/share/nginx/html/plugins/ai-proxy:ro,z');
    expect(env).toContain(`PATTERN=${builtInPattern}\n`);
    expect(load(compose ?? "")).toMatchObject({
      services: { higress: { image: input.image, ports: ["8080:8080", "8443:8443", "8001:8001"] } },
    });
  });

  it("escapes the pattern as each reader wants it", () => {
    expect(fileOf(input, "higress.env")).toContain(`=${pattern}\n`);
    const compose = load(fileOf(input, "compose.yaml")) as {
      services: { higress: { environment: Record<string, string> } };
    };
    const doubled = pattern.replaceAll("$", () => "$$");
    expect(Object.values(compose.services.higress.environment)[0]).toBe(doubled);
    expect(fileOf(input, "compose.env")).toContain(`=${doubled}\n`);
    expect(load(fileOf(input, "values.yaml"))).toEqual({
      "higress-console": { podEnvs: { HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN: pattern } },
      "higress-core": {
        controller: { env: { MCP_SERVER_WASM_IMAGE_URL: fillPattern(pattern, carried[0]!) } },
      },
    });
  });

  it("writes nothing when the pattern cannot be used", () => {
    const kit = standaloneKit({ ...input, plugins: { from: "url", pattern: "http://localhost:5000/${name}.wasm" } });
    expect(kit.files).toEqual([]);
    expect(kit.findings).toHaveLength(1);
  });

  it("takes no name or version of a bundle that is more than one path segment", () => {
    const evil = [
      { name: "$(reboot)", version: "1" },
      { name: "../../etc", version: "1" },
      { name: "mcp-server", version: "1\nLD_PRELOAD=/evil.so" },
    ];
    const kit = standaloneKit({ ...input, carried: evil, plugins: { from: "directory", directory: "tree" } });
    expect(kit.files.map(({ text }) => text).join("")).not.toMatch(/reboot|\.\.\/|LD_PRELOAD/);
    expect(kit.findings).toMatchObject([{ code: "plugin.not-carried" }]);
  });

  it("publishes the ports it is given", () => {
    expect(fileOf({ ...input, ports: { http: 80, https: 443 } }, "run.sh")).toMatch(
      /--publish 80:8080 \\\n {2}--publish 443:8443 \\\n {2}--publish 8001:8001/,
    );
  });
});

describe("quoting", () => {
  it("gives back any text: YAML reads it, and Compose turns $$ into $", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = load(`a: ${yamlText(composeText(text))}\n`) as { a: string };
        expect(read.a.replaceAll("$$", () => "$")).toBe(text);
      }),
      { seed: 3 },
    );
  });
});

describe("isOfComposeSet", () => {
  it("knows the images of the set by the last part of their name, and no other", () => {
    expect(["higress/gateway", "mirror/a/console"].map(isOfComposeSet)).toEqual([true, true]);
    expect(["higress/all-in-one", "library/constructor"].map(isOfComposeSet)).toEqual([false, false]);
  });
});
