import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { cli, type CliResult } from "../rig/cli.ts";
import { aCluster } from "../rig/cluster.ts";
import { aKubelet } from "../rig/fake-kubelet.ts";
import { farSideUnavailable } from "../rig/far-side.ts";
import { admin, aHarbor, type Harbor } from "../rig/harbor/harbor.ts";
import { filesWith, Planted, watchProcessList } from "../rig/planted.ts";
import { aDockerRegistry } from "../rig/registry-process.ts";
import { sampleContent, writeSampleSpec } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { tools } from "../rig/tools.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const host = "harbor.corp.example:8443";
/** Where the secrets were put by the test itself. */
const planters = ["push-password", "config.json", "user-plugin.yaml", "serve-password"];

/** A program that writes down what other users could read of it, and then does its work. */
async function recording(folder: string, name: string, program: string): Promise<string> {
  const path = join(folder, name);
  const note = join(folder, "arguments");
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$0" "$@" >> '${note}'\nenv >> '${note}'\nexec '${program}' "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

const userPlugin = (key: string): string => `apiVersion: extensions.higress.io/v1alpha1
kind: WasmPlugin
metadata: { name: own-auth, namespace: higress-system }
spec:
  url: oci://registry.higress.example/plugins/key-auth:2.0.1
  defaultConfig: { consumers: [{ name: a, credential: ${key} }], keys: [x], in_header: true }
`;

describe.skipIf(unavailable !== undefined)(`secrets, looked for everywhere after every command${because}`, () => {
  const planted = new Planted();
  const outputs: { readonly command: string; readonly leaks: readonly string[] }[] = [];
  const at = { folder: "" };
  const env: Record<string, string> = {};
  const secrets = {
    source: planted.plant("source"),
    push: planted.plant("push"),
    pull: planted.plant("pull"),
    serve: planted.plant("serve"),
    plugin: planted.plant("plugin"),
    wrong: planted.plant("wrong"),
  };
  let list: ReturnType<typeof watchProcessList>;

  async function run(...command: readonly string[]): Promise<CliResult> {
    const result = await cli([...command, "--verbose"], { cwd: at.folder, env });
    const { stdout, stderr } = result;
    outputs.push({ command: command.join(" "), leaks: planted.in(`${stdout}\n${stderr}`) });
    return result;
  }
  async function succeeds(...command: readonly string[]): Promise<void> {
    const result = await run(...command, "--output", "json");
    expect(result, `${command.join(" ")}\n${result.stdout}\n${result.stderr}`).toMatchObject({ exitCode: 0 });
  }

  beforeAll(async () => {
    const directory = await aTempDirectory();
    at.folder = directory.path;
    list = watchProcessList(planted);
    return () => directory[Symbol.asyncDispose]();
  });

  it("build from a registry with a password, and say nothing of it", async () => {
    await using source = await aDockerRegistry({ htpasswd: { user: "builder", password: secrets.source } });
    await seed(source.url, sampleContent(), { login: { username: "builder", password: secrets.source } });
    const auth = Buffer.from(`builder:${secrets.source}`).toString("base64");
    env["DOCKER_CONFIG"] = at.folder;
    await writeFile(
      join(at.folder, "config.json"),
      JSON.stringify({ auths: { [source.host]: { auth }, "registry.higress.example": { auth } } }),
    );
    const spec = await writeSampleSpec(at.folder, source.url);
    const { helm } = await tools("3.17");
    await succeeds("build", spec, "--out", "bundle.tar", "--helm", await recording(at.folder, "helm-build", helm));
    await rm(join(at.folder, "config.json"));
    const wrong = Buffer.from(`builder:${secrets.wrong}`).toString("base64");
    await writeFile(
      join(at.folder, "config.json"),
      JSON.stringify({ auths: { "registry.higress.example": { auth: wrong } } }),
    );
    expect((await run("build", spec, "--out", "other.tar", "--helm", helm)).exitCode).toBe(1);
    await succeeds("verify", "bundle.tar", "--report", "verify.json");
    await succeeds("inspect", "bundle.tar", "--html", "inspect.html");
  });

  it("do the whole job with Harbor, and say nothing of it", async () => {
    const { folder } = at;
    await using company = await aCertificateAuthority({ names: ["harbor.corp.example"] });
    const users = [
      { ...admin, name: "pusher", secret: secrets.push },
      { name: "puller", secret: secrets.pull, projects: { "*": ["pull"] } } as const,
    ];
    await using harbor = await aHarbor({ tls: company.tls, users });
    await using cluster = await aCluster();
    const ca = await readFile(company.caFile, "utf8");
    await using kubelet = await aKubelet({
      cluster,
      hosts: { [host]: harbor.origin, [harbor.host]: harbor.origin },
      ca,
      heartbeat: 300,
    });
    await writeSite(harbor, company.caFile, cluster.kubeconfig);
    const site = ["--site", "site.yaml"];
    const own = ["bundle.tar", ...site];

    await succeeds("preflight", ...own);
    await succeeds("push", ...own, "--dry-run");
    await succeeds("install", ...own, "--report", "evening");
    for (const { name, secret } of harbor.state.identities.values())
      if (name.startsWith("robot$")) planted.add(name, secret);
    await succeeds("push", ...own);
    await succeeds("render", ...own, "--out", "rendered");
    await run("check", ...own);
    await run("doctor", ...site, "--collect", "support.tar.gz");
    await succeeds("inventory", ...own, "--out", "inventory.json");
    await succeeds("node-config", ...site);
    await succeeds("plugins", "enable", ...own, "--name", "cors");
    await succeeds("plugins", "disable", ...site, "--name", "cors");
    await succeeds("install", ...own);
    await run("rollback", "--yes", ...site);
    await succeeds("uninstall", "--yes", ...site);
    expect(kubelet.pulled.length).toBeGreaterThan(0);

    // A registry that says again what it was sent.
    harbor.failNext("rest", { status: 400, code: "BAD_REQUEST", message: `you sent ${secrets.push}` });
    harbor.failNext("blob.post", { status: 400, code: "BAD_REQUEST", message: `you sent ${secrets.push}` });
    await run("preflight", ...own);
    harbor.failNext("manifest.head", { status: 400, code: "DENIED", message: `Basic ${secrets.push}` });
    await run("push", ...own);
    await writeFile(join(folder, "push-password"), secrets.wrong);
    expect((await run("preflight", ...own)).exitCode).toBe(3);
    expect((await run("push", ...own)).exitCode).toBe(1);
  });

  it("are in no output of any command", () => {
    expect(outputs.length).toBeGreaterThan(20);
    expect(outputs.filter(({ leaks }) => leaks.length > 0)).toEqual([]);
  });

  it("are in no argument and no environment of helm and kubectl, and in no process list", async () => {
    const given = await readFile(join(at.folder, "arguments"), "utf8");
    expect(given).toContain("upgrade");
    expect(planted.in(given)).toEqual([]);
    const { seen, leaks } = await list.stop();
    expect(seen).toBeGreaterThan(10);
    expect(leaks).toEqual([]);
  });

  it("are in no file that was written: bundle, receipts, reports, render, support archive", async () => {
    const found = await filesWith(planted, at.folder);
    const elsewhere = Object.entries(found).filter(([file]) => !planters.includes(file));
    // What `render` writes is what would be applied, and the user's own plugin is, as it was written.
    expect(
      elsewhere.filter(([file, names]) => !/^rendered\/.*plugin/.test(file) || String(names) !== "plugin"),
    ).toEqual([]);
  });

  async function writeSite(harbor: Harbor, ca: string, kubeconfig: string): Promise<void> {
    const { folder } = at;
    const { helm, kubectl } = await tools("4.1");
    await writeFile(join(folder, "push-password"), secrets.push);
    await writeFile(join(folder, "user-plugin.yaml"), userPlugin(secrets.plugin));
    env["PULL_PASSWORD"] = secrets.pull;
    const credentials = { username: "pusher", passwordFile: join(folder, "push-password") };
    const site = {
      apiVersion: "higress-airgap/v1",
      kind: "Site",
      registry: { host, project: "higress", ca, credentials, createProject: {} },
      pull: { credentials: { username: "puller", passwordEnv: "PULL_PASSWORD" } },
      cluster: {
        kubeconfig,
        rolloutSeconds: 300,
        helm: await recording(folder, "helm", helm),
        kubectl: await recording(folder, "kubectl", kubectl),
      },
      plugins: { enable: ["key-auth"], manifests: [join(folder, "user-plugin.yaml")], watchSeconds: 1 },
      registries: { [host]: { endpoints: [{ url: harbor.origin, ca, credentials }] } },
    };
    await writeFile(join(folder, "site.yaml"), JSON.stringify(site));
  }
});
