import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { aBlob } from "../rig/builders/graph.ts";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aTar } from "../rig/builders/tar.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { cli } from "../rig/cli.ts";
import { aContainerd, containerdUnavailable, unpackingUnavailable, type Containerd } from "../rig/containerd.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { startCli } from "../rig/running-cli.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { aTempDirectory, type TempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const unavailable = containerdUnavailable() ?? dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

const mounting = unpackingUnavailable();

interface Item {
  readonly kind: string;
  readonly reference: string;
  readonly root: { readonly digest: string };
}

describe.skipIf(unavailable !== undefined)(`Debian's containerd${because}`, () => {
  let folder: TempDirectory;
  let containerd: Containerd;
  let bundle: string;
  let items: readonly Item[];

  beforeAll(async () => {
    [folder, containerd] = await Promise.all([aTempDirectory(), aContainerd()]);
    bundle = await aBuiltBundle({ folder: folder.path, content: unpackable() });
    const { stdout } = await execa("tar", ["xOf", bundle, "bundle.json"]);
    items = (JSON.parse(stdout) as { readonly items: readonly Item[] }).items;
  });
  afterAll(async () => {
    await containerd[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("takes the images out of the bundle as it is, by the names that pods ask for, with the digests of the lock", async () => {
    await containerd.ctr("images", "import", "--no-unpack", "--all-platforms", bundle);
    const rows = (await containerd.ctr("images", "ls")).split("\n").slice(1);
    const has = Object.fromEntries(
      rows.filter(Boolean).map((row) => {
        const [name = "", , digest = ""] = row.split(/\s+/);
        return [name, digest];
      }),
    );
    expect(items.filter(({ kind }) => kind === "image").length).toBeGreaterThan(3);
    expect(has).toEqual(Object.fromEntries(items.map(({ reference, root }) => [reference, root.digest])));
  });

  it.skipIf(mounting !== undefined).each<{ loader: string; program: string; site: boolean }>([
    { loader: "containerd", program: "ctr", site: true },
    { loader: "k3s", program: "k3s", site: false },
  ])(
    `${mounting === undefined ? "" : `(not run: ${mounting}) `}images are loaded on a node by the script for $loader, with the names that pods ask for`,
    async ({ loader, program, site }) => {
      const [out, bin] = [join(folder.path, `on-${loader}`), join(folder.path, `bin-${loader}`)];
      const to = {
        host: "harbor.corp.example",
        url: "http://127.0.0.1:9",
        username: "pusher",
        passwordFile: "password",
        kubeconfig: "kubeconfig",
      };
      const sited = site ? ["--site", await writeSampleSite(folder.path, to)] : [];
      const exported = await cli(
        ["images", "export", bundle, "--out", out, "--platform", "linux/amd64", "--runtime", loader, ...sited],
        { cwd: folder.path },
      );
      expect(exported, exported.stderr).toMatchObject({ exitCode: 0 });
      expect(exported.stdout).toContain(`sh load-${loader}.sh`);
      // Of a node: its client finds its containerd, and the folder of images is where it is.
      await mkdir(bin, { recursive: true });
      const node = { install: `echo "$*" >>"${bin}/installed"`, [program]: containerd.asNode(program) };
      for (const [name, line] of Object.entries(node)) {
        await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`);
        await chmod(join(bin, name), 0o755);
      }
      const env = { PATH: `${bin}:/usr/bin:/bin` };
      for (const again of [false, true]) {
        const loaded = await execa("sh", [join(out, `load-${loader}.sh`)], { env, extendEnv: false, reject: false });
        expect(loaded, `${String(again)} ${loaded.stderr}`).toMatchObject({ exitCode: 0 });
      }
      const listed = (await containerd.ctr("images", "ls")).split("\n");
      for (const { reference, root } of items.filter(({ kind }) => kind === "image")) {
        const asked = site ? reference.replace(/^[^/]+/, "harbor.corp.example/higress") : reference;
        const row = listed.find((line) => line.startsWith(`${asked} `)) ?? "";
        expect(row, `${asked} of\n${listed.join("\n")}`).toContain("io.cri-containerd.pinned=pinned");
        const carried = await manifestOf(bundle, root.digest);
        expect(row).toContain(carried);
      }
      if (loader === "k3s")
        expect(await readFile(join(bin, "installed"), "utf8")).toMatch(
          /^-D -m 0644 (\S+-images-linux-amd64\.tar) \/var\/lib\/rancher\/k3s\/agent\/images\/\1\n/,
        );
    },
  );

  it("pulls from serve over TLS by the files of node-config, and does not trust it without them", async () => {
    await using authority = await aCertificateAuthority({ names: ["127.0.0.1"] });
    const tls = ["--tls-cert", authority.certFile, "--tls-key", authority.keyFile];
    const serving = startCli(["serve", bundle, "--port", "0", ...tls], { cwd: folder.path });
    let host = "";
    await serving.says((event) => {
      if (event["text"] === "listening") host = /127\.0\.0\.1:\d+/.exec(JSON.stringify(event))?.[0] ?? "";
      return host !== "";
    });
    const passwordFile = join(folder.path, "password");
    await writeFile(passwordFile, "x\n", { mode: 0o600 });
    const account = { username: "pusher", passwordFile, kubeconfig: "kubeconfig" };
    const site = await writeSampleSite(folder.path, { host, url: `https://${host}`, ca: authority.caFile, ...account });
    const written = await cli(["node-config", "--site", site, "--runtime", "containerd1", "--out", "node"], {
      cwd: folder.path,
    });
    expect(written, written.stderr).toMatchObject({ exitCode: 0 });
    const etc = join(folder.path, "node/containerd1");
    const certs = join(etc, "etc/containerd/certs.d");
    const hosts = join(certs, host, "hosts.toml");
    // On a node they lie below /.
    await writeFile(hosts, (await readFile(hosts, "utf8")).replaceAll("/etc/containerd", `${etc}/etc/containerd`));
    const image = items.find(({ kind }) => kind === "image");
    const name = `${host}/${image?.reference.replace(/^[^/]+\//, "") ?? ""}`;
    await expect(containerd.ctr("content", "fetch", name)).rejects.toThrow(/failed to resolve reference/);
    await containerd.ctr("content", "fetch", "--all-platforms", "--hosts-dir", certs, name);
    expect(await containerd.ctr("images", "ls")).toContain(name);
    expect(await containerd.ctr("content", "ls", "-q")).toContain(image?.root.digest);
    // As install writes it into a release: below the project of the site file.
    const installed = name.replace(host, `${host}/higress`);
    await containerd.ctr("content", "fetch", "--all-platforms", "--hosts-dir", certs, installed);
    expect(await containerd.ctr("images", "ls")).toContain(installed);
    serving.signal("SIGTERM");
    await serving.result;
  });
});

/** Images of the sample whose layers are what their media type says, since a node unpacks them. */
function unpackable() {
  const layer = (text: string) => aBlob(aTar({ "etc/motd": text }), "application/vnd.oci.image.layer.v1.tar");
  const image = (architecture: string, name: string) =>
    anImage({ architecture, layers: [layer("of all"), layer(`${name} on ${architecture}`)] });
  return Object.fromEntries(
    sampleChart.images.map((name) => [
      name,
      anIndex({ "linux/amd64": image("amd64", name), "linux/arm64": image("arm64", name) }),
    ]),
  );
}

/** The manifest for linux/amd64 below a root. */
async function manifestOf(bundle: string, root: string): Promise<string> {
  const { stdout } = await execa("tar", ["xOf", bundle, `blobs/${root.replace(":", "/")}`]);
  const { manifests } = JSON.parse(stdout) as {
    readonly manifests?: readonly { digest: string; platform?: { architecture: string } }[];
  };
  return manifests?.find(({ platform }) => platform?.architecture === "amd64")?.digest ?? root;
}
