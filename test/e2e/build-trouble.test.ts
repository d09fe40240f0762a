import { execa } from "execa";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli } from "../rig/cli.ts";
import { aConnectedSide } from "../rig/connected-side.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

const spec = (more: string): string =>
  `apiVersion: higress-airgap/v1\nkind: BundleSpec\nname: x\nversion: "1.0.0"\nimages: ["registry.example/a/b:1"]\n${more}\n`;

const aCrd = (name: string): string =>
  JSON.stringify({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${name}s.x.example` },
    spec: {
      group: "x.example",
      names: { kind: name.toUpperCase(), plural: `${name}s` },
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  });

describe("build", () => {
  it("says that a CA is not there, though what was half open is closed on the way out", async () => {
    await using folder = await aTempDirectory();
    const endpoint = `{url: "https://127.0.0.1:1", ca: ./missing.pem}`;
    await writeFile(
      join(folder.path, "bundle.yaml"),
      spec(`registries: {registry.example: {endpoints: [${endpoint}]}}`),
    );
    const { exitCode, stderr } = await cli(["build", "bundle.yaml", "--out", "x.tar"], { cwd: folder.path });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("missing.pem");
    expect(stderr).not.toContain("BUG");
  });
});

describe.skipIf(unavailable !== undefined)(`build with charts${because}`, () => {
  it("says which tag is not what was published any more, and which plugin was repacked for the gateway", async () => {
    await using side = await aConnectedSide();
    const path = join(side.folder, "bundle.yaml");
    const spec = JSON.parse(await readFile(path, "utf8")) as { plugins: { list: { name: string; digest?: string }[] } };
    const [first] = spec.plugins.list;
    if (first !== undefined) first.digest = `sha256:${"0".repeat(64)}`;
    await writeFile(path, JSON.stringify(spec));
    const { helm } = await tools("3.17");
    const { stdout, stderr } = await cli(["build", "bundle.yaml", "--helm", helm, "--dry-run", "--output", "json"], {
      cwd: side.folder,
    });
    const events = `${stdout}\n${stderr}`.split("\n").filter((line) => line.startsWith("{"));
    const findings = events.flatMap(
      (line) => (JSON.parse(line) as { finding?: { code: string; facts: object } }).finding ?? [],
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: "plugin.tag-drift",
        facts: expect.objectContaining({ plugin: first?.name }) as object,
      }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "plugin.repacked", facts: expect.objectContaining({ plugin: "waf" }) as object }),
    );
  });

  it("takes files whatever they are called and wherever they lie: Chinese, with a space, twice the same name", async () => {
    await using side = await aConnectedSide();
    const path = join(side.folder, "bundle.yaml");
    const written = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    for (const folder of ["a", "b"]) {
      await mkdir(join(side.folder, folder));
      await writeFile(join(side.folder, folder, "网关 1.yaml"), aCrd(folder));
    }
    await writeFile(join(side.folder, "清单.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: own }\n");
    const more = { crds: [{ path: "a/网关 1.yaml" }, { path: "b/网关 1.yaml" }], manifests: [{ path: "清单.yaml" }] };
    await writeFile(path, JSON.stringify({ ...written, ...more }));
    const bundle = await side.build("named.tar");
    const { stdout } = await execa("tar", ["tf", bundle]);
    expect(stdout.split("\n").filter((name) => /^(crds|manifests\/user)\//.test(name))).toEqual([
      "crds/1-2.yaml",
      "crds/1.yaml",
      "manifests/user/file.yaml",
    ]);
  });

  it("names the file that was written, and the line, where a manifest is no YAML", async () => {
    await using side = await aConnectedSide();
    const path = join(side.folder, "bundle.yaml");
    const written = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(join(side.folder, "清单.yaml"), "apiVersion: v1\n\tkind: ConfigMap\n");
    await writeFile(path, JSON.stringify({ ...written, manifests: [{ path: "清单.yaml" }] }));
    const { exitCode, stderr } = await side.run("build", "bundle.yaml", "--out", "never.tar");
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${join(side.folder, "清单.yaml")}:2:1 `);

    await writeFile(path, JSON.stringify(written));
    const bundle = await side.build("whole.tar");
    const site = { registry: { host: "harbor.corp", project: "higress" }, plugins: { manifests: ["清单.yaml"] } };
    await writeFile(
      join(side.folder, "site.yaml"),
      JSON.stringify({ apiVersion: "higress-airgap/v1", kind: "Site", ...site }),
    );
    const { helm } = await tools("3.17");
    const rendered = await side.run("render", bundle, "--out", "rendered", "--helm", helm);
    expect(rendered.exitCode).toBe(2);
    expect(rendered.stderr).toContain(`${join(side.folder, "清单.yaml")}:2:1 `);
  });

  it("leaves nothing behind in the temporary folder", async () => {
    await using side = await aConnectedSide();
    await using temporary = await aTempDirectory();
    const { helm } = await tools("3.17");
    const options = { cwd: side.folder, env: { TMPDIR: temporary.path } };
    const { exitCode, stderr } = await cli(["build", "bundle.yaml", "--helm", helm, "--dry-run"], options);
    expect(stderr).not.toContain("✗");
    expect(exitCode).toBe(0);
    expect(await readdir(temporary.path)).toEqual([]);
  });
});
