import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { isEnabled } from "../../src/model/wasm-plugin.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { builtForAll } from "../rig/built-bundle.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { aFarSide, farSideUnavailable, harborHost, namespace, password, said, type FarSide } from "../rig/far-side.ts";
import { gatewayPlays, wasmPlugins } from "../rig/gateway-plays.ts";
import { exchange, type Answer } from "../rig/kubelet/exchange.ts";
import { aProxyPlugin, code } from "../rig/wasm/module.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const picky = `${sampleChart.registry}/plugins/picky:1.0.0`;
const pickyModule = aProxyPlugin({ proxy_on_configure: { parameters: 2, results: 1, body: code.answer(0) } });
const carried = builtForAll(unavailable, {
  content: { [picky]: aWasmPlugin({ module: pickyModule }) },
  spec: (sample) => {
    const plugins = sample["plugins"] as { list: object[] };
    return { plugins: { ...plugins, list: [...plugins.list, { name: "picky", ref: `oci://${picky}` }] } };
  },
});

describe.skipIf(unavailable !== undefined)(`a plugin that makes trouble${because}`, () => {
  const shared: { far?: FarSide } = {};
  const far = (): FarSide => shared.far as FarSide;
  const site = (plugins: object, more: object = {}) =>
    far().writeSite({ plugins: { watchSeconds: 5, ...plugins }, ...more });
  const states = async () =>
    Object.fromEntries((await wasmPlugins(far())).map((one) => [one.metadata.name, isEnabled(one) ? "on" : "off"]));
  const undo: { undo(): Promise<void> }[] = [];
  const play = (name: string, behaviour: Parameters<typeof gatewayPlays>[2]) =>
    void undo.push(gatewayPlays(far(), ({ metadata }) => metadata.name === name, behaviour));

  beforeAll(async () => {
    shared.far = await aFarSide({ helm: "4.1" });
    return () => far()[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    for (const script of undo.splice(0)) await script.undo();
  });

  it("is refused before the cluster sees it when it does not take its configuration", async () => {
    const manifest = join(far().folder, "picky.yaml");
    await writeFile(
      manifest,
      JSON.stringify({
        apiVersion: "extensions.higress.io/v1alpha1",
        kind: "WasmPlugin",
        metadata: { name: "strict", namespace },
        spec: { url: `oci://${picky}`, defaultConfig: { wrong: true } },
      }),
    );
    await site({ enable: ["key-auth"], manifests: [manifest] });
    for (const command of ["preflight", "install"]) {
      const refused = await far().run([command, carried.bundle]);
      expect(refused, said(refused)).toMatchObject({ exitCode: 3 });
      expect(refused.stderr).toContain("picky refuses its configuration: configure: 0");
    }
    await expect(far().cluster.api.get(`/api/v1/namespaces/${namespace}`)).rejects.toThrow("not found");
    expect(await repositories()).toEqual([]);
  });

  it("is told before, and so is a field that a pod has not, at which Helm 4 would stop", async () => {
    await site({ enable: [] }, { values: { "higress-core": { gateway: { imagePullPolicy: "Always" } } } });
    const asked = await far().run(["preflight", carried.bundle]);
    expect(asked, said(asked)).toMatchObject({ exitCode: 3 });
    expect(asked.stderr).toContain("has imagePullPolicy at /spec/template/spec/imagePullPolicy");
  });

  it("is refused before the cluster sees it when the bundle does not carry what it names", async () => {
    const manifest = join(far().folder, "own.yaml");
    await writeFile(
      manifest,
      `apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: own }\nspec: { url: "oci://ghcr.io/acme/own:1" }\n`,
    );
    await site({ enable: ["key-atuh"], manifests: [manifest] });
    const refused = await far().run(["install", carried.bundle]);
    expect(refused, said(refused)).toMatchObject({ exitCode: 3 });
    expect(refused.stderr).toContain("key-atuh (oci) is not in the bundle");
    expect(refused.stderr).toContain("own (oci://ghcr.io/acme/own:1) is not in the bundle");
    await expect(far().cluster.api.get(`/api/v1/namespaces/${namespace}`)).rejects.toThrow("not found");
  });

  it("is switched off again during the install when it crashes the gateway, and the others are on", async () => {
    const logs = ["Caught Segmentation fault, suspect faulting address 0x0"];
    play("waf-1.0.0", { kind: "crashes", exitCode: 139, logs });
    await site({ enable: ["key-auth", "waf", "cors"] });
    const installed = await far().run(["install", carried.bundle]);
    expect(installed, said(installed)).toMatchObject({ exitCode: 3 });
    expect(installed.stderr).toMatch(/waf-1\.0\.0 was switched off again: .*(CrashLoopBackOff|Segmentation fault)/);
    expect(await states()).toEqual({ "key-auth-1.0.0": "on", "waf-1.0.0": "off", "cors-1.0.0": "on" });
    const checked = await far().run(["check", carried.bundle]);
    expect(checked, said(checked)).toMatchObject({ exitCode: 0 });
  });

  it("is installed by the same command once the gateway bears it", async () => {
    const installed = await far().run(["install", carried.bundle]);
    expect(installed, said(installed)).toMatchObject({ exitCode: 0 });
    expect(await states()).toEqual({ "key-auth-1.0.0": "on", "waf-1.0.0": "on", "cors-1.0.0": "on" });
    const disabled = await far().run(["plugins", "disable", "--name", "cors"]);
    expect(disabled, said(disabled)).toMatchObject({ exitCode: 0 });
  });

  it("is switched off again when the gateway cannot fetch it, with the agent's words", async () => {
    const logs = [
      `2026-11-22T06:00:00.000000Z\terror\twasm\tfailed to fetch Wasm module oci://${harborHost}/higress/plugins/cors:2.0.1: ` +
        `Get "https://${harborHost}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    ];
    play("cors-1.0.0", { kind: "healthy", logs });
    const enabled = await far().run(["plugins", "enable", carried.bundle, "--name", "cors"]);
    expect(enabled, said(enabled)).toMatchObject({ exitCode: 3 });
    expect(enabled.stderr).toMatch(
      /cors-1\.0\.0 was switched off again: .*x509: certificate signed by unknown authority/,
    );
    expect(await states()).toMatchObject({ "cors-1.0.0": "off" });
  });

  it("is not switched on when the registry does not have it any more, or not for the cluster's account", async () => {
    await site({}, { pull: { credentials: { username: "pusher", passwordFile: await wrongPassword() } } });
    const unauthorized = await far().run(["plugins", "enable", carried.bundle, "--name", "cors"]);
    expect(unauthorized, said(unauthorized)).toMatchObject({ exitCode: 3 });
    expect(unauthorized.stderr).toContain("harbor.airgap.example:8443 does not accept the credentials of pusher");

    await site({});
    await removeTag("higress/plugins/cors", "2.0.1");
    const missing = await far().run(["plugins", "enable", carried.bundle, "--name", "cors"]);
    expect(missing, said(missing)).toMatchObject({ exitCode: 3 });
    expect(missing.stderr).toMatch(/cors:2\.0\.1 is not in the registry/);
    expect(await states()).toMatchObject({ "cors-1.0.0": "off" });
  });

  async function wrongPassword(): Promise<string> {
    const file = join(far().folder, "wrong");
    await writeFile(file, "not-this-one\n", { mode: 0o600 });
    return file;
  }

  async function registry(method: string, path: string): Promise<Answer> {
    const authorization = `Basic ${Buffer.from(`pusher:${password}`).toString("base64")}`;
    const headers = { authorization, accept: "application/vnd.oci.image.manifest.v1+json" };
    const [ca, servername] = [await readFile(far().ca, "utf8"), harborHost.replace(/:.*/, "")];
    return exchange({ url: new URL(`/v2/${path}`, far().target.url), method, headers, ca, servername });
  }

  async function repositories(): Promise<unknown> {
    const { body } = await registry("GET", "_catalog");
    return (JSON.parse(body.toString()) as { repositories: unknown }).repositories;
  }

  async function removeTag(repository: string, tag: string): Promise<void> {
    const { headers } = await registry("GET", `${repository}/manifests/${tag}`);
    const digest = String(headers["docker-content-digest"]);
    expect(await registry("DELETE", `${repository}/manifests/${digest}`)).toMatchObject({ status: 202 });
  }
});
