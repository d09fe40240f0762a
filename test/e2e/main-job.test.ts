import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { renderedObjects } from "../../src/model/rendered-object.ts";
import { prove } from "../../src/stages/prove/prove.ts";
import { cli, type CliResult } from "../rig/cli.ts";
import { aCluster, clusterUnavailable, type Cluster } from "../rig/cluster.ts";
import { aKubelet } from "../rig/fake-kubelet.ts";
import { isReady, podWhere } from "../rig/pod-where.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { sampleContent, writeSampleSite, writeSampleSpec } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { tools } from "../rig/tools.ts";
import { execa } from "execa";

const unavailable = dockerRegistryUnavailable() ?? clusterUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const namespace = "higress-system";
const host = "harbor.airgap.example:8443";
const password = "correct-horse-battery-staple";

/** Everything that lives in the cluster, as one manifest that the proof can read. */
async function liveObjects(cluster: Cluster, kubectl: string): Promise<string> {
  const kinds = "deployments,statefulsets,daemonsets,pods,configmaps,services,jobs,wasmplugins.extensions.higress.io";
  const { stdout } = await execa(kubectl, [
    "--kubeconfig",
    cluster.kubeconfig,
    "-n",
    namespace,
    "get",
    kinds,
    "-o",
    "json",
  ]);
  return stdout;
}

/** For the message of a test that fails: what pods wait for. */
async function podStory(cluster: Cluster, kubectl: string): Promise<string> {
  const args = ["--kubeconfig", cluster.kubeconfig, "-n", namespace];
  const pods = await execa(kubectl, [...args, "get", "pods", "-o", "wide"]);
  const events = await execa(kubectl, [...args, "get", "events"]);
  return `${pods.stdout}\n${events.stdout.slice(-4000)}`;
}

const said = (result: CliResult): string => `${result.stdout}\n${result.stderr}`;

describe.skipIf(unavailable !== undefined)(`the main job, as the user does it${because}`, () => {
  const carried = { folder: "", bundle: "" };

  beforeAll(async () => {
    const folder = await aTempDirectory();
    carried.folder = folder.path;
    carried.bundle = join(folder.path, "higress-2.2.4.tar");
    {
      await using source = await aDockerRegistry();
      await seed(source.url, sampleContent());
      const spec = await writeSampleSpec(folder.path, source.url);
      const { helm } = await tools("3.17");
      const built = await cli(["build", spec, "--out", carried.bundle, "--helm", helm], { cwd: folder.path });
      expect(said(built)).toContain("higress-2.2.4.tar");
      expect(built.exitCode).toBe(0);
    }
    // From here on the source registry is gone.
    return () => folder[Symbol.asyncDispose]();
  });

  it.each(["3.17", "4.2"] as const)(
    "installs from the carried file alone, with helm %s, and nothing points outside",
    async (line) => {
      const { helm, kubectl } = await tools(line);
      await using folder = await aTempDirectory();
      await using authority = await aCertificateAuthority({ names: ["harbor.airgap.example"] });
      await using target = await aDockerRegistry({ tls: authority, htpasswd: { user: "pusher", password } });
      await using cluster = await aCluster();
      await using kubelet = await aKubelet({
        cluster,
        hosts: { [host]: target.url },
        ca: await authorityText(authority.caFile),
      });
      const passwordFile = join(folder.path, "password");
      await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
      const site = await writeSampleSite(folder.path, {
        host,
        url: target.url,
        ca: authority.caFile,
        username: "pusher",
        passwordFile,
        kubeconfig: cluster.kubeconfig,
      });

      const installed = await cli(["install", carried.bundle, "--site", site, "--helm", helm, "--kubectl", kubectl], {
        cwd: folder.path,
      });
      expect(said(installed)).not.toContain(password);
      expect(installed, `${said(installed)}\n${await podStory(cluster, kubectl)}`).toMatchObject({ exitCode: 0 });

      const workloads = [
        { app: "higress-gateway" },
        { app: "higress-controller" },
        { "app.kubernetes.io/name": "higress-console" },
      ];
      for (const labels of workloads) await podWhere(cluster, { namespace, labels }, isReady);
      expect(kubelet.pulled.length).toBeGreaterThan(3);
      expect(kubelet.pulled.every(({ image }) => image.startsWith(`${host}/higress/`))).toBe(true);
      const live = await liveObjects(cluster, kubectl);
      const proof = prove(renderedObjects(live), { inside: { prefixes: [`${host}/higress`] } });
      expect(proof.images).toBeGreaterThan(5);
      expect(proof.findings).toEqual([]);

      const again = await cli(["install", carried.bundle, "--site", site, "--helm", helm, "--kubectl", kubectl], {
        cwd: folder.path,
      });
      expect(again, said(again)).toMatchObject({ exitCode: 0 });
    },
  );
});

async function authorityText(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(file, "utf8");
}
