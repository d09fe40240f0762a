import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeAccounts, type Accounts } from "./cluster/accounts.ts";
import { controlPlane } from "./cluster/control-plane.ts";
import { clusterUnavailable, etcdBinary, kubeBinary } from "./cluster/kube-binary.ts";
import { writeKubeconfig } from "./cluster/kubeconfig.ts";
import { grantNamespace } from "./cluster/restricted.ts";
import { aDaemon, type Daemon, type DaemonOptions } from "./daemon.ts";
import { freePort } from "./free-port.ts";
import { kubeApi, type KubeApi } from "./kubelet/api.ts";

export { clusterUnavailable } from "./cluster/kube-binary.ts";

/**
 * A real control plane on loopback: etcd, kube-apiserver, kube-controller-manager and kube-scheduler. There are no
 * nodes in it, so no pod runs before aKubelet brings some.
 */
export interface Cluster extends AsyncDisposable {
  readonly server: string;
  /** Of the certificate authority of `server`. */
  readonly caFile: string;
  /** Of a member of system:masters. */
  readonly kubeconfig: string;
  /** The same rights, for tests that would rather not start kubectl. */
  readonly api: KubeApi;
  /** The server's own certificate and key; aKubelet serves logs with it, since the server checks no kubelet's. */
  readonly serving: { readonly certFile: string; readonly keyFile: string };
  /** A kubeconfig of a user who may do everything inside `namespace` (made when absent) and nothing outside. */
  restrictedKubeconfig(namespace: string): Promise<string>;
  /** What each program printed, for the report of a failed test. */
  logs(): Promise<string>;
}

export interface ClusterOptions {
  /** More flags for kube-apiserver, for instance to turn an admission plugin off. */
  readonly apiserverArgs?: readonly string[];
}

export async function aCluster({ apiserverArgs = [] }: ClusterOptions = {}): Promise<Cluster> {
  const reason = clusterUnavailable();
  if (reason !== undefined) throw new Error(`cannot start a cluster: ${reason}`);

  const directory = await mkdtemp(join(tmpdir(), "higress-airgap-cluster-"));
  const daemons: Daemon[] = [];
  const stop = async () => {
    await Promise.all(daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    return await started(directory, apiserverArgs, daemons, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function started(
  directory: string,
  apiserverArgs: readonly string[],
  daemons: Daemon[],
  stop: () => Promise<void>,
): Promise<Cluster> {
  const start = (options: DaemonOptions): Daemon => {
    const daemon = aDaemon(options);
    daemons.push(daemon);
    return daemon;
  };
  await writeServiceAccountKeys(join(directory, "pki"));
  const accounts = await writeAccounts(join(directory, "tokens.csv"));
  const ports = { etcd: await freePort(), peer: await freePort(), apiserver: await freePort() };
  const plan = controlPlane({ kube: kubeBinary(), etcd: etcdBinary, directory, ports, accounts, apiserverArgs });
  const server = `https://127.0.0.1:${String(ports.apiserver)}`;
  const caFile = join(directory, "pki/apiserver.crt");
  const config = (name: string, token: string) =>
    writeKubeconfig(join(directory, `${name}.kubeconfig`), { server, caFile, token });

  start(plan.etcd);
  const apiserver = start(plan.apiserver);
  // It writes the file itself: half of it is a certificate, too, and trusts nobody.
  const apiOf = async () => kubeApi({ server, ca: await readFile(caFile, "utf8"), token: accounts.admin });
  await apiserver.until(async () => {
    const once = await apiOf();
    await once.get("/readyz").finally(() => once.close());
  });
  const api = await apiOf();

  await config("controller-manager", accounts.controllerManager);
  await config("scheduler", accounts.scheduler);
  const controllers = start(plan.controllerManager);
  start(plan.scheduler);
  // Pods are refused until the namespace has its default account; that the controllers made it shows that they work.
  await controllers.until(() => api.get("/api/v1/namespaces/default/serviceaccounts/default"));

  return {
    server,
    caFile,
    api,
    kubeconfig: await config("admin", accounts.admin),
    serving: { certFile: caFile, keyFile: join(directory, "pki/apiserver.key") },
    restrictedKubeconfig: weakUsersOf({ api, accounts, directory, server, caFile }),
    logs: async () =>
      (await Promise.all(daemons.map(async (daemon) => `== ${daemon.name}\n${await daemon.log()}`))).join("\n"),
    async [Symbol.asyncDispose]() {
      api.close();
      await stop();
    },
  };
}

async function writeServiceAccountKeys(directory: string): Promise<void> {
  await mkdir(directory);
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  await writeFile(join(directory, "sa.key"), pair.privateKey, { mode: 0o600 });
  await writeFile(join(directory, "sa.pub"), pair.publicKey);
}

interface WeakUsers {
  readonly api: KubeApi;
  readonly accounts: Accounts;
  readonly directory: string;
  readonly server: string;
  readonly caFile: string;
}

function weakUsersOf({ api, accounts, directory, server, caFile }: WeakUsers): (namespace: string) => Promise<string> {
  const given = new Map<string, Promise<string>>();
  return (namespace) => {
    const known = given.get(namespace);
    if (known !== undefined) return known;
    const weak = accounts.weak[given.size];
    if (weak === undefined) throw new Error(`all ${String(given.size)} restricted users are taken`);
    const made = grantNamespace(api, namespace, weak.user).then(() =>
      writeKubeconfig(join(directory, `${weak.user}.kubeconfig`), { server, caFile, token: weak.token, namespace }),
    );
    given.set(namespace, made);
    return made;
  };
}
