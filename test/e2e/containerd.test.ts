import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { aBuiltBundle } from "../rig/built-bundle.ts";
import { cli } from "../rig/cli.ts";
import { aContainerd, containerdUnavailable, type Containerd } from "../rig/containerd.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { startCli } from "../rig/running-cli.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { aTempDirectory, type TempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const unavailable = containerdUnavailable() ?? dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

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
    bundle = await aBuiltBundle({ folder: folder.path });
    const { stdout } = await execa("tar", ["xOf", bundle, "bundle.json"]);
    items = (JSON.parse(stdout) as { readonly items: readonly Item[] }).items;
  }, 240_000);
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
    serving.signal("SIGTERM");
    await serving.result;
  });
});
