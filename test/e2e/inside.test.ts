import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { cli } from "../rig/cli.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { aTempDirectory, type TempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { tools } from "../rig/tools.ts";

const host = "harbor.branch.example";
const { registry: publicRegistry } = sampleChart;

/** What `render` says of one bundle on sites that differ in one thing each. No cluster is asked. */
describe("the proof of a render", () => {
  let folder: TempDirectory;
  let bundle: string;
  beforeAll(async () => {
    folder = await aTempDirectory();
    bundle = await aBuiltBundle({ folder: folder.path });
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const render = async (more: Record<string, unknown>, files: Readonly<Record<string, string>> = {}) => {
    const at = join(folder.path, `site-${String(Math.random()).slice(2)}`);
    await mkdir(at);
    for (const [name, text] of Object.entries(files)) await writeFile(join(at, name), text);
    const site = await writeSampleSite(at, { host, url: "http://127.0.0.1:1", more });
    const { helm } = await tools("4.2");
    const run = await cli(["render", bundle, "--site", site, "--helm", helm, "--out", "out", "--output", "json"], {
      cwd: at,
    });
    const found = run.stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { type: string; finding?: { code: string; facts: Record<string, string> } })
      .flatMap(({ finding }) => finding ?? []);
    const read = (name: string) => readFile(join(at, "out", name), "utf8");
    return { ...run, found, codes: found.map(({ code }) => code), read };
  };

  const plugin = (name: string, spec: string) =>
    `apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: ${name} }\nspec:\n${spec}`;

  it("covers the plugins that are written: one that no gateway could fetch from here is a finding each, and no proof", async () => {
    const text = [
      plugin("quota-check", "  url: oci://plugins.vendor.example/quota-check:1\n"),
      plugin("audit", "  url: http://files.vendor.example/audit.wasm\n"),
    ].join("---\n");
    const { exitCode, codes } = await render({ plugins: { manifests: ["own.yaml"] } }, { "own.yaml": text });
    expect({ exitCode, codes }).toEqual({ exitCode: 3, codes: ["plugin.not-carried", "plugin.not-carried"] });
  });

  it("covers their configuration, too", async () => {
    const text = plugin(
      "quota",
      `  url: oci://${publicRegistry}/plugins/key-auth:2.0.1\n  defaultConfig: { endpoint: "https://api.vendor.example/v1" }\n`,
    );
    const { exitCode, found } = await render({ plugins: { manifests: ["own.yaml"] } }, { "own.yaml": text });
    expect(exitCode).toBe(3);
    expect(found).toMatchObject([{ code: "reference.outside", facts: { path: "/spec/defaultConfig/endpoint" } }]);
  });

  it("takes the site's word for hosts, domains and ranges of its own, and writes down by which word", async () => {
    const text = plugin(
      "quota",
      `  url: oci://${publicRegistry}/plugins/key-auth:2.0.1\n  defaultConfig: { llm: "https://llm.branch.example/v1", sso: "https://203.0.113.7/login", otlp: "http://otel.ops.example:4318" }\n`,
    );
    const inside = ["llm.branch.example", "203.0.113.0/24", "*.ops.example"];
    const { exitCode, codes, read } = await render(
      { inside, plugins: { manifests: ["own.yaml"] } },
      { "own.yaml": text },
    );
    expect({ exitCode, codes }).toEqual({ exitCode: 0, codes: [] });
    const { declared } = JSON.parse(await read("proof.json")) as { declared: { by: string }[] };
    expect(declared.map(({ by }) => by).sort()).toEqual([...inside].sort());
  });

  it("refuses an entry that is no host, domain or range, with its line", async () => {
    const { exitCode, stderr } = await render({ inside: ["https://llm.branch.example/v1"] });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("inside.0");
  });

  it("moves a URL that stands behind a merge key, as the cluster reads it", async () => {
    const text = `x-common: &common\n  url: oci://${publicRegistry}/plugins/key-auth:2.0.1\n${plugin("branch", "  <<: *common\n  phase: AUTHN\n")}`;
    const { exitCode, found, read } = await render({ plugins: { manifests: ["own.yaml"] } }, { "own.yaml": text });
    expect({ exitCode, found }).toEqual({ exitCode: 0, found: [] });
    expect(await read("6-plugins.yaml")).toContain(`url: oci://${host}/higress/plugins/key-auth:2.0.1`);
  });

  it("lays the CA over the gateway whatever its name is", async () => {
    const values = { "higress-core": { gateway: { name: "edge-gateway" } } };
    const registry = { host, project: "higress", ca: "ca.pem" };
    await using company = await aCertificateAuthority();
    const { exitCode, read } = await render({ registry, values }, { "ca.pem": await readFile(company.caFile, "utf8") });
    expect(exitCode).toBe(0);
    expect(await read("4-release-higress.yaml")).toContain("name: edge-gateway");
    expect(await read("5-overlay.yaml")).toContain("name: edge-gateway");
  });
});
