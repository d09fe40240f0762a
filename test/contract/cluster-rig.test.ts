import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import type { Job } from "kubernetes-types/batch/v1.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { aCluster, clusterUnavailable, type Cluster } from "../rig/cluster.ts";
import { aKubelet, type Kubelet } from "../rig/fake-kubelet.ts";
import { isReady, podWhere, waitsFor } from "../rig/pod-where.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { pushTinyImage } from "../rig/tiny-image.ts";
import { helmLines, tools, type HelmLine } from "../rig/tools.ts";

const robot = { user: "robot", password: "secret" };
const credentials = "robot:secret";
const reason = clusterUnavailable() ?? dockerRegistryUnavailable();

describe.skipIf(reason)(`a simulated cluster${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  let cluster: Cluster;
  let registry: DockerRegistry;
  let kubelet: Kubelet;
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "higress-airgap-rig-"));
    [cluster, registry] = await Promise.all([aCluster(), aDockerRegistry({ htpasswd: robot })]);
    kubelet = await aKubelet({
      cluster,
      hosts: { "harbor.test": registry.url },
      logs: ({ container }) => [`${container} says hello`],
      pullBackoff: 200,
      crashBackoff: 200,
    });
    await writeChart(join(home, "tiny"));
    await push("hello");
  });

  afterAll(async () => {
    await kubelet[Symbol.asyncDispose]();
    await Promise.all([cluster[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()]);
    await rm(home, { recursive: true });
  });

  const push = (name: string) =>
    pushTinyImage({ url: registry.url, repository: `library/${name}`, tag: "1", credentials, architecture: "amd64" });
  const run = async (line: HelmLine, program: "helm" | "kubectl", args: readonly string[], as = cluster.kubeconfig) => {
    const { [program]: command } = await tools(line);
    const env = { HOME: home, KUBECONFIG: as };
    return await execa(command, args, { env, extendEnv: false, stdin: "ignore", reject: false, all: true });
  };
  const kubectl = (...args: string[]) => run("4.2", "kubectl", args);
  const aNamespace = async (name: string, password = robot.password) => {
    await cluster.api.create("/api/v1/namespaces", { metadata: { name } });
    const auths = { "harbor.test": { username: robot.user, password } };
    await cluster.api.create(`/api/v1/namespaces/${name}/secrets`, {
      metadata: { name: "pull" },
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
    });
    return name;
  };
  const aDeployment = (namespace: string, image: string, pullSecret?: string) =>
    cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, deployment(image, pullSecret));
  const pullTrouble = async (namespace: string) => {
    const pod = await podWhere(cluster, { namespace }, waitsFor("ImagePullBackOff"));
    return pod.status?.containerStatuses?.[0]?.state?.waiting?.message;
  };

  it.each(helmLines)("lets Helm %s install a chart whose pod then runs the image of the registry", async (line) => {
    const namespace = await aNamespace(`helm-${line.replace(".", "-")}`);
    const values = ["--set", "image=harbor.test/library/hello:1", "--set", "secret=pull"];
    const installed = await run(line, "helm", [
      "upgrade",
      "--install",
      "tiny",
      join(home, "tiny"),
      "-n",
      namespace,
      ...values,
    ]);
    expect(installed.all).toContain("STATUS: deployed");

    const { status } = await podWhere(cluster, { namespace }, isReady);
    expect(status?.containerStatuses?.[0]?.imageID).toBe(`harbor.test/library/hello@${await push("hello")}`);
    const rollout = await run(line, "kubectl", ["rollout", "status", "deploy/tiny", "-n", namespace, "--timeout=150s"]);
    expect(rollout.all).toContain("successfully rolled out");
  });

  it("leaves a pod in ImagePullBackOff, with the cause, until its image is pushed", async () => {
    const namespace = await aNamespace("late");
    await aDeployment(namespace, "harbor.test/library/late:1", "pull");
    expect(await pullTrouble(namespace)).toContain("harbor.test/library/late:1: not found");
    const digest = await push("late");
    await kubelet.poke();
    await podWhere(cluster, { namespace }, isReady);
    expect(kubelet.pulled).toContainEqual({ image: "harbor.test/library/late:1", digest });
    const events = await kubectl("get", "events", "-n", namespace);
    expect(events.stdout).toContain('Failed to pull image "harbor.test/library/late:1": failed to pull and unpack');
  });

  it.each([
    { why: "no secret", image: "harbor.test/library/hello:1", says: "no basic auth credentials" },
    { why: "a secret that is not there", image: "harbor.test/library/hello:1", secret: "nil", says: "no basic auth" },
    { why: "the wrong password", image: "harbor.test/library/hello:1", secret: "pull", says: "401 Unauthorized" },
    {
      why: "a public image",
      image: "quay.io/coreos/etcd:v3",
      secret: "pull",
      says: "lookup quay.io on 10.96.0.10:53: no such host",
    },
  ])("says why a pod with $why does not start", async ({ why, image, secret, says }) => {
    const namespace = await aNamespace(why.replaceAll(" ", "-"), "wrong");
    await aDeployment(namespace, image, secret);
    expect(await pullTrouble(namespace)).toContain(says);
  });

  it("pulls with the secret of the pod's ServiceAccount", async () => {
    const namespace = await aNamespace("account");
    const account = { metadata: { name: "puller" }, imagePullSecrets: [{ name: "pull" }] };
    await cluster.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, account);
    const spec = { ...podSpec("harbor.test/library/hello:1"), serviceAccountName: "puller" };
    await cluster.api.create(`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: "one" }, spec });
    await podWhere(cluster, { namespace }, isReady);
  });

  it("crashes a container while its script says so, and shows the logs of the run before", async () => {
    const namespace = await aNamespace("crash");
    const flag = `/api/v1/namespaces/${namespace}/configmaps/bad`;
    const script = kubelet.script({ namespace, name: "tiny-" }, async () => {
      const there = await cluster.api.get(flag).catch(() => undefined);
      return there === undefined ? undefined : { kind: "crashes", exitCode: 139, logs: ["Caught Segmentation fault"] };
    });
    await aDeployment(namespace, "harbor.test/library/hello:1", "pull");
    await podWhere(cluster, { namespace }, isReady);
    expect((await kubectl("logs", "-n", namespace, "deploy/tiny")).stdout).toBe("main says hello");
    expect((await kubectl("logs", "-n", namespace, "deploy/tiny", "--previous")).all).toMatch(/previous .* not found/);

    await cluster.api.create(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: "bad" } });
    await kubelet.poke();
    const crashing = waitsFor("CrashLoopBackOff");
    const restarted = await podWhere(
      cluster,
      { namespace },
      (pod) => crashing(pod) && (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 3,
    );
    expect(restarted.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 139 });
    expect(isReady(restarted)).toBe(false);
    const previous = await kubectl("logs", "-n", namespace, "deploy/tiny", "--previous", "--tail=1");
    expect(previous.stdout).toBe("Caught Segmentation fault");

    await script.undo();
    await podWhere(cluster, { namespace }, isReady);
  });

  it("keeps a container running and not ready while its script says so", async () => {
    const namespace = await aNamespace("unready");
    const script = kubelet.script({ namespace }, { kind: "unready" });
    await aDeployment(namespace, "harbor.test/library/hello:1", "pull");
    const running = (pod: Parameters<typeof isReady>[0]) => pod.status?.phase === "Running";
    expect(isReady(await podWhere(cluster, { namespace }, running))).toBe(false);
    await script.undo();
    await podWhere(cluster, { namespace }, isReady);
  });

  it("runs a Job to its end and lets pods be deleted", async () => {
    const namespace = await aNamespace("job");
    const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    const spec = { ...podSpec("harbor.test/library/hello:1", "pull"), restartPolicy: "Never" };
    await cluster.api.create(jobs, { metadata: { name: "once" }, spec: { template: { spec } } });
    const waited = await kubectl("wait", "--for=condition=Complete", "job/once", "-n", namespace, "--timeout=150s");
    expect(waited.all).toContain("condition met");
    expect(((await cluster.api.get(`${jobs}/once`)) as Job).status?.succeeded).toBe(1);
    expect((await kubectl("delete", "namespace", namespace, "--timeout=150s")).all).toContain("deleted");
  });

  it("gives a user who may use one namespace and no other", async () => {
    const kubeconfig = await cluster.restrictedKubeconfig("mine");
    const inside = await run("4.2", "kubectl", ["get", "secrets"], kubeconfig);
    expect(inside.all).toContain("No resources found in mine namespace");
    const outside = await run("4.2", "kubectl", ["get", "secrets", "-n", "late"], kubeconfig);
    expect(outside.all).toContain('User "restricted-0" cannot list resource "secrets"');
  });

  it("had no trouble of its own", () => {
    expect(kubelet.problems).toEqual([]);
  });
});

function podSpec(image: string, pullSecret?: string) {
  const imagePullSecrets = pullSecret === undefined ? [] : [{ name: pullSecret }];
  return { terminationGracePeriodSeconds: 0, imagePullSecrets, containers: [{ name: "main", image }] };
}

function deployment(image: string, pullSecret?: string) {
  const labels = { app: "tiny" };
  const template = { metadata: { labels }, spec: podSpec(image, pullSecret) };
  return { metadata: { name: "tiny" }, spec: { selector: { matchLabels: labels }, template } };
}

/** Its only template is JSON, which Helm takes for YAML. */
async function writeChart(directory: string): Promise<void> {
  await mkdir(join(directory, "templates"), { recursive: true });
  await writeFile(join(directory, "Chart.yaml"), "apiVersion: v2\nname: tiny\nversion: 0.1.0\n");
  const manifest = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    ...deployment("{{ .Values.image }}", "{{ .Values.secret }}"),
  };
  await writeFile(join(directory, "templates/deployment.yaml"), JSON.stringify(manifest));
}
