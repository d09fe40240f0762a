import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadSite } from "../../src/edge/files/config.ts";
import { renderedObjects, type RenderedObject } from "../../src/model/rendered-object.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { packSampleChart, sampleChart } from "../rig/charts/pack.ts";
import { madeChart } from "../rig/charts/made.ts";
import { aCluster, clusterUnavailable, type Cluster } from "../rig/cluster.ts";
import { differences } from "../rig/differences.ts";
import { runCommand, type CommandRun } from "../rig/command.ts";
import { aKubelet, type Kubelet } from "../rig/fake-kubelet.ts";
import { bankChart, made, ownersValues, planted } from "../rig/lived-in.ts";
import { filesWith } from "../rig/planted.ts";
import { isReady, podWhere } from "../rig/pod-where.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { sampleContent } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory, type TempDirectory } from "../rig/temp-directory.ts";
import { tools, type Tools } from "../rig/tools.ts";
import { aConsoleImage, aConsoleJar, anSdkJar, aSpec } from "../rig/wasm/console.ts";

const unavailable = dockerRegistryUnavailable() ?? clusterUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const namespace = "higress-system";
const { registry } = sampleChart;
/** What `site.yaml` of the folder has until somebody completes it. */
const inside = "harbor.corp.example/higress";
const consoleImage = `${registry}/higress/console:1.0.0`;
const gatewayImage = `${registry}/higress/gateway:1.0.0`;

describe.skipIf(unavailable !== undefined)(`inspect-cluster${because}`, () => {
  const opened: AsyncDisposable[] = [];
  const keep = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
    const resource = await starting;
    opened.push(resource);
    return resource;
  };
  let cluster: Cluster;
  let kubelet: Kubelet;
  let source: DockerRegistry;
  let directory: TempDirectory;
  let programs: Tools;
  let chart: string;
  let first: CommandRun;

  beforeAll(async () => {
    directory = await keep(aTempDirectory());
    source = await keep(aDockerRegistry());
    const jar = aConsoleJar(
      anSdkJar({ waf: { url: `oci://${registry}/plugins/waf:2.0.1`, spec: aSpec({ name: "waf", version: "1.0.0" }) } }),
    );
    await seed(source.url, {
      ...sampleContent(),
      [consoleImage]: anIndex({ "linux/amd64": aConsoleImage(jar), "linux/arm64": anImage({ architecture: "arm64" }) }),
    });
    cluster = await keep(aCluster());
    kubelet = await keep(aKubelet({ cluster, hosts: { [registry]: source.url } }));
    programs = await tools("4.2");
    chart = await packSampleChart(directory.path);
    const values = join(directory.path, "owner.json");
    await writeFile(values, JSON.stringify(ownersValues));
    await helm("install", "higress", chart, "-n", namespace, "--create-namespace", "-f", values);
    await kubectl(made);
    await podWhere(cluster, { namespace, labels: { app: "higress-gateway" } }, isReady);
    first = await inspect("my-bank", "--chart", chart);
  });
  afterAll(async () => {
    for (const resource of opened.toReversed()) await resource[Symbol.asyncDispose]();
  });

  const at = (name: string): string => join(directory.path, name);
  const helm = async (...args: readonly string[]): Promise<void> => {
    await execa(programs.helm, [...args, "--kubeconfig", cluster.kubeconfig]);
  };
  const kubectl = async (objects: readonly object[]): Promise<void> => {
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    await execa(programs.kubectl, ["--kubeconfig", cluster.kubeconfig, "apply", "-f", "-"], { input });
  };
  const run = (...command: readonly string[]) =>
    runCommand(command, { cwd: directory.path, env: { HOME: directory.path } });
  const inspect = (out: string, ...more: readonly string[]) => {
    const given = (flag: string, usual: string): readonly string[] => (more.includes(flag) ? [] : [flag, usual]);
    const binaries = [...given("--helm", programs.helm), ...given("--kubeconfig", cluster.kubeconfig)];
    return run("inspect-cluster", "--out", out, "--kubectl", programs.kubectl, ...binaries, ...more);
  };
  const render = async (bundle: string, site: string): Promise<readonly RenderedObject[]> => {
    return renderedObjects((await run("render", bundle, "--site", site, "--helm", programs.helm)).stdout);
  };
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(at(name), "utf8"));

  it("writes a folder that is built as it is, with the owner's values and the digests that run, and no secret", async () => {
    const { code, stdout } = first;
    expect(code).toBe(0);
    expect(stdout).toBe(await readFile(at("my-bank/README.txt"), "utf8"));
    for (const line of [
      /^release higress in higress-system: higress 2\.2\.4, installed by helm$/m,
      /looks like a secret: values higress-core\.gateway\.env\.BANK_TOKEN$/m,
      /looks like a secret: WasmPlugin\/higress-system\/key-auth spec\.defaultConfig\.consumers\.\[0\]\.credential$/m,
      /looks like a secret: ConfigMap\/higress-system\/higress-console data\.settings$/m,
      /looks like a secret: Ingress\/higress-system\/shop metadata\.annotations\.bank\/note$/m,
      /lacks a secret, and is not applied by itself: WasmPlugin\/higress-system\/key-auth$/m,
      /cannot be carried: WasmPlugin\/higress-system\/by-hand https:\/\/files\.vendor\.example\/plugin\.wasm$/m,
      /a Secret .*: shop-tls \(Ingress higress-system\/shop\)$/m,
      /^ {2}higress-airgap build my-bank\/bundle\.yaml$/m,
    ])
      expect(stdout).toMatch(line);
    expect(await filesWith(planted, at("my-bank"))).toEqual({});
    expect(planted.in(stdout)).toEqual([]);

    expect(await json("my-bank/values.json")).toMatchObject({
      global: { ingressClass: "bank" },
      "higress-core": { gateway: { replicas: 2, env: { BANK_REGION: "north" } } },
    });
    expect(await json("my-bank/wasmplugins.json")).toMatchObject({
      items: [
        {
          metadata: { name: "cors" },
          spec: { phase: "AUTHN", priority: 340, defaultConfig: { allow: ["https://sso.bank.example"] } },
        },
      ],
    });
    expect(await readFile(at("my-bank/wasmplugins.json"), "utf8")).not.toContain("last-applied-configuration");
    expect(await json("my-bank/settings.json")).toMatchObject({ items: [{ metadata: { name: "higress-config" } }] });
    const objects = (await json("my-bank/objects.json")) as { items: { kind: string; metadata: { name: string } }[] };
    expect(objects.items.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual([
      "ConfigMap/higress-console",
      "Ingress/shop",
      "McpBridge/default",
    ]);
    expect(await readFile(at("my-bank/site.yaml"), "utf8")).toMatch(
      /^# inside:\n# {3}- erp\.bank\.example\n# {3}- llm\.bank\.example\n# {3}- sso\.bank\.example$/m,
    );
    expect((await loadSite(at("my-bank/site.yaml"))).plugins.manifests).toEqual([at("my-bank/wasmplugins.json")]);
    const [spec] = loadTyped(await readFile(at("my-bank/bundle.yaml"), "utf8")) as [
      { images: string[]; platforms: string[] },
    ];
    const ran = kubelet.pulled.find(({ image }) => image === gatewayImage)?.digest ?? "";
    expect(spec.images).toContain(`${gatewayImage}@${ran}`);
  });

  it("is built by the digests that ran, though a tag has moved since, and renders the owner's objects", async () => {
    await cp(at("my-bank"), at("moved"), { recursive: true });
    const path = at("moved/bundle.yaml");
    const [spec] = loadTyped(await readFile(path, "utf8")) as [Record<string, unknown>];
    // Where this machine finds the public registry; programs come from the internet.
    await writeFile(
      path,
      JSON.stringify({
        ...spec,
        tools: {},
        plugins: { discover: true },
        registries: { [registry]: { endpoints: [{ url: source.url }] } },
      }),
    );
    await seed(source.url, {
      [gatewayImage]: anIndex({ "linux/amd64": anImage(), "linux/arm64": anImage({ architecture: "arm64" }) }),
    });
    const env = { HIGRESS_AIRGAP_EXE_DIR: "" };
    const build = ["build", "moved/bundle.yaml", "--out", "moved.tar", "--helm", programs.helm];
    expect(await runCommand([...build, "--dry-run"], { cwd: directory.path, env })).toMatchObject({ code: 0 });
    expect(await runCommand(build, { cwd: directory.path, env })).toMatchObject({ code: 0 });
    const { stdout } = await runCommand(["inspect", "moved.tar", "--json"], { cwd: directory.path });
    const { items } = JSON.parse(stdout) as {
      items: { reference: string; root: { digest: string }; derived?: { from: { digest: string } } }[];
    };
    const carried = items.find(({ reference }) => reference === gatewayImage);
    const ran = kubelet.pulled.find(({ image }) => image === gatewayImage)?.digest;
    expect(carried?.derived?.from.digest ?? carried?.root.digest).toBe(ran);
    for (const name of ["cors", "key-auth", "waf"])
      expect(items.map(({ reference }) => reference)).toContain(`${registry}/plugins/${name}:2.0.1`);

    const objects = await render("moved.tar", "moved/site.yaml");
    const manifest = ["get", "manifest", "higress", "-n", namespace, "--kubeconfig", cluster.kubeconfig];
    const live = renderedObjects((await execa(programs.helm, manifest)).stdout);
    const asBefore = (text: string): string => text.replaceAll(`${inside}/`, `${registry}/`);
    // All that ran is made again, field by field, but for what was left out, what an install sets for the inside, and what
    // the chart draws by lot.
    const changed = differences(live, objects, asBefore).map((each) => /^\S+\/(\S+ \S+?)[:\s]/.exec(each)?.[1]);
    const container = "spec/template/spec/containers";
    expect(changed).toEqual([
      "higress-console /data/key",
      "higress-config /data/mesh",
      `higress-controller /${container}/higress-core/args/1`,
      ...["name", "value"].map((key) => `higress-gateway /${container}/higress-gateway/env/BANK_TOKEN/${key}`),
    ]);
  });

  it("writes all or none, keeps what was written before, and writes nothing for a dry run", async () => {
    await mkdir(at("taken/README.txt"), { recursive: true });
    const taken = { code: "FILE_UNWRITABLE", facts: { path: at("taken/README.txt"), reason: "EISDIR" } };
    await expect(inspect("taken", "--chart", chart)).rejects.toMatchObject(taken);
    expect(await readdir(at("taken"))).toEqual(["README.txt"]);
    await cp(at("my-bank"), at("again"), { recursive: true });
    await writeFile(at("again/values.json"), "{}\n");
    await expect(inspect("again", "--chart", chart)).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(await readFile(at("again/values.json"), "utf8")).toBe("{}\n");
    // What somebody has filled in is their work, also where they say that it may be replaced.
    await writeFile(at("again/site.yaml"), "mine\n");
    const { stderr } = await inspect("again", "--chart", chart, "--overwrite");
    expect(stderr).toMatch(/kept: \S+\/site\.yaml is yours and stays as it is; compare it with \S+\/site\.new\.yaml$/m);
    expect(stderr).toMatch(/kept: what was in \S+again\/values\.json is in \S+again\/values\.json\.19700101T000000Z$/m);
    expect(await readFile(at("again/site.yaml"), "utf8")).toBe("mine\n");
    expect(await readFile(at("again/site.new.yaml"), "utf8")).toBe(await readFile(at("my-bank/site.yaml"), "utf8"));
    expect(await readFile(at("again/values.json.19700101T000000Z"), "utf8")).toBe("{}\n");
    expect(await json("again/values.json")).toHaveProperty("global");
    const { stdout } = await inspect("dry", "--dry-run", "--json");
    const files = expect.arrayContaining(["bundle.yaml"]) as unknown;
    expect(JSON.parse(stdout)).toMatchObject({ release: "higress", chart: { version: "2.2.4" }, files });
    expect(planted.in(stdout)).toEqual([]);
    expect(await readdir(directory.path)).not.toContain("dry");
  });

  it("says what an account may not read, and writes the rest", async () => {
    const kubeconfig = await cluster.restrictedKubeconfig(namespace);
    const { stdout } = await inspect("weak", "--kubeconfig", kubeconfig);
    expect(stdout).toMatch(/^ {2}not read: nodes: .*forbidden/m);
    expect(stdout).toMatch(/^ {2}not read: registries, routes and settings: .*ingresses.*forbidden/m);
    expect(await json("weak/values.json")).toHaveProperty("global");
    const blind = await inspect("blind", "--kubeconfig", await cluster.restrictedKubeconfig("elsewhere"));
    expect(blind.stdout).toMatch(/^ {2}not read: helm's releases: .*forbidden/m);
    expect(blind.stdout).toMatch(/^ {2}not read: plugins: .*forbidden/m);
    expect(blind.stdout).toContain("set it in values.json");
    expect(await readdir(at("blind"))).toContain("bundle.yaml");
  });

  it("takes a chart that nobody publishes out of helm's own record, with each Helm, and asks which of several", async () => {
    const own = at("bank-gateway.tgz");
    await writeFile(own, madeChart("bank-gateway", bankChart));
    for (const line of ["3.17", "4.2"] as const) {
      const release = `bank-${line.replace(".", "-")}`;
      const binary = (await tools(line)).helm;
      const where = ["-n", release, "--create-namespace", "--kubeconfig", cluster.kubeconfig];
      await execa(binary, ["install", release, own, ...where]);
      await inspect(release, "--release", release, "--helm", binary);
      const template = (file: string) => execa(binary, ["template", release, file]).then(({ stdout }) => stdout);
      expect(await template(at(`${release}/bank-gateway-1.0.0.tgz`))).toBe(await template(own));
    }
    const other = at("higress-1.0.0.tgz");
    await writeFile(other, madeChart("higress", { "templates/a.yaml": bankChart["templates/a.yaml"] ?? "" }));
    await helm("install", "second", other, "-n", "second", "--create-namespace");
    await expect(inspect("none")).rejects.toThrow(/USAGE.*higress-system\/higress, second\/second/);
    await expect(inspect("none", "--namespace", "nowhere")).rejects.toThrow(/USAGE.*nowhere has no release/);
    await expect(inspect("none", "--namespace", "-x")).rejects.toMatchObject({ code: "USAGE" });
    expect(await readdir(directory.path)).not.toContain("none");
  });
});
