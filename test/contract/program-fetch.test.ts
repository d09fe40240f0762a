import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadBundleSpec } from "../../src/edge/files/config.ts";
import { digestOf, hexOf } from "../../src/model/digest.ts";
import { runCommand } from "../rig/command.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const content = { helm: Buffer.alloc(3_000_000, "helm"), kubectl: Buffer.alloc(2_000_000, "kubectl") };

describe("programs of `tools:` that are not there yet", () => {
  const at = {
    root: "",
    folder: "",
    packed: Buffer.alloc(0),
    url: "",
    asked: [] as string[],
    said: "",
    sent: 0,
    tells: true,
  };
  const server = http.createServer((request, response) => {
    at.asked.push(request.url ?? "");
    const found = { "/helm.tar.gz": at.packed, "/kubectl": content.kubectl, "/other": Buffer.from("something else") };
    const body = (found as Readonly<Record<string, Buffer>>)[request.url ?? ""];
    if (body === undefined) return void response.writeHead(404).end();
    const isEnd = at.tells && request.headers.range === "bytes=-4";
    const part = isEnd ? body.subarray(-4) : body;
    response.writeHead(isEnd ? 206 : 200, at.tells ? { "content-length": part.length } : {});
    const sent = request.method === "HEAD" ? Buffer.alloc(0) : part;
    at.sent += sent.length;
    response.write(sent);
    response.end();
  });

  beforeAll(async () => {
    const folder = await aTempDirectory();
    at.root = folder.path;
    await mkdir(join(at.root, "linux-arm64"));
    await writeFile(join(at.root, "linux-arm64/README.md"), "about it");
    await writeFile(join(at.root, "linux-arm64/helm"), content.helm);
    await execa("tar", ["czf", "helm.tar.gz", "linux-arm64"], { cwd: at.root });
    at.packed = await readFile(join(at.root, "helm.tar.gz"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    at.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    return () => folder[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    at.folder = join(at.root, "spec");
    await rm(at.folder, { recursive: true, force: true });
    await mkdir(at.folder);
    at.asked = [];
    at.said = "";
    at.sent = 0;
    at.tells = true;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  const helm = (more: object = {}) => ({
    ...{ path: "tools/helm.tar.gz", from: `${at.url}/helm.tar.gz`, member: "linux-arm64/helm" },
    ...{ sha256: hexOf(digestOf(at.packed)), ...more },
  });
  const kubectl = (more: object = {}) => ({
    ...{ path: "tools/kubectl", from: `${at.url}/kubectl`, sha256: hexOf(digestOf(content.kubectl)), ...more },
  });
  const build = async (tools: Readonly<Record<string, object>>, out = "out.tar", ...more: readonly string[]) => {
    const spec = { apiVersion: "higress-airgap/v1", kind: "BundleSpec", name: "tools", version: "1", tools };
    await writeFile(join(at.folder, "bundle.yaml"), JSON.stringify(spec));
    const env = { HIGRESS_AIRGAP_EXE_DIR: "" };
    return await runCommand(["build", "bundle.yaml", "--out", out, ...more], {
      cwd: at.folder,
      env,
      says: (text) => void (at.said += text),
    });
  };
  const carried = async (bundle: string, name: string): Promise<string> => {
    const options = { cwd: at.folder, encoding: "buffer", maxBuffer: 16 * 1024 ** 2 } as const;
    const { stdout } = await execa("tar", ["xOf", bundle, `bin/${name}`], options);
    return digestOf(stdout);
  };

  it("are fetched, one of them out of its archive, from a mirror where the first place has it not or has another", async () => {
    const tools = {
      "helm-linux-arm64": helm({ from: `${at.url}/gone.tar.gz`, mirrors: [`${at.url}/helm.tar.gz`] }),
      "kubectl-linux-arm64": kubectl({ from: `${at.url}/other`, mirrors: [`${at.url}/kubectl`] }),
    };
    expect(await build(tools)).toMatchObject({ code: 0 });
    expect(await carried("out.tar", "helm-linux-arm64")).toBe(digestOf(content.helm));
    expect(await carried("out.tar", "kubectl-linux-arm64")).toBe(digestOf(content.kubectl));
    expect(at.asked).toEqual(["/gone.tar.gz", "/helm.tar.gz", "/other", "/kubectl"]);

    // What lies at its place is asked for nowhere, and makes the same bundle.
    await build(tools, "again.tar");
    expect(at.asked).toHaveLength(4);
    const [first, again] = await Promise.all(["out.tar", "again.tar"].map((name) => readFile(join(at.folder, name))));
    expect(again?.equals(first ?? Buffer.alloc(0))).toBe(true);
  });

  it("are only asked for their sizes where nothing is written, and counted as large as they are", async () => {
    const tools = { "helm-linux-arm64": helm(), "kubectl-linux-arm64": kubectl() };
    const shown = async (): Promise<{ readonly size: number }> =>
      JSON.parse((await build(tools, "out.tar", "--dry-run", "--json")).stdout) as { readonly size: number };
    const before = await shown();
    await expect(readFile(join(at.folder, "tools/kubectl"))).rejects.toThrow("ENOENT");
    expect([at.asked, at.sent]).toEqual([["/helm.tar.gz", "/kubectl"], 4]);
    await build(tools);
    const after = await shown();
    // The tar around helm has a README, headers and its end.
    expect(before.size - after.size).toBeGreaterThanOrEqual(0);
    expect(before.size - after.size).toBeLessThan(20_480);

    // Who does not tell sizes is asked for the file.
    at.tells = false;
    await rm(join(at.folder, "tools"), { recursive: true });
    expect((await shown()).size).toBe(after.size);
  });

  it("are all told when they cannot be had, with what can be done, and nothing is written", async () => {
    const failed = await build({
      "helm-linux-arm64": helm({ from: `${at.url}/gone.tar.gz` }),
      "kubectl-linux-arm64": kubectl({ from: `${at.url}/other` }),
    }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "FINDINGS", side: "source", facts: { count: 2 } });
    expect(at.said.split("tool.unfetched")).toHaveLength(3);
    expect(at.said).toContain("REGISTRY_NOT_FOUND");
    expect(at.said).toContain("CONTENT_MISMATCH");
    expect(at.said).toContain(`put the file at ${join(at.folder, "tools/kubectl")}`);
    await expect(readFile(join(at.folder, "tools/kubectl"))).rejects.toThrow("ENOENT");
    await expect(readFile(join(at.folder, "out.tar"))).rejects.toThrow("ENOENT");
  });

  it("are refused where the archive has no such file, where a file has another sum, and where there is no sum", async () => {
    const wrong = build({ "helm-linux-arm64": helm({ member: "linux-amd64/helm" }) });
    await expect(wrong).rejects.toMatchObject({ code: "ARCHIVE_INVALID", side: "host" });
    const changed = build({ "helm-linux-arm64": helm({ sha256: "0".repeat(64) }) });
    await expect(changed).rejects.toMatchObject({ code: "CONTENT_MISMATCH", side: "host" });
    const unpinned = build({ "kubectl-linux-arm64": { path: "k", from: `${at.url}/kubectl` } });
    await expect(unpinned).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(at.asked).toEqual(["/helm.tar.gz"]);
  });
});

it("kubectl of the ready specs is, byte for byte, the one that the tests run, and helm is of the same version", async () => {
  const { helm, kubectl } = await tools("4.2");
  const spec = await loadBundleSpec("manifests/higress/2.2.4/bundle.yaml");
  expect(spec.tools["kubectl-linux-amd64"]?.sha256).toBe(hexOf(digestOf(await readFile(kubectl))));
  const { stdout } = await execa(helm, ["version", "--template", "{{ .Version }}"]);
  expect(spec.tools["helm-linux-amd64"]?.from).toContain(`/helm-${stdout}-linux-amd64.tar.gz`);
});
