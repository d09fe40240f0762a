import type { DaemonOptions } from "../daemon.ts";
import type { Accounts } from "./accounts.ts";

/** The four programs of a control plane, in the order they have to start. */
export interface ControlPlane {
  readonly etcd: DaemonOptions;
  readonly apiserver: DaemonOptions;
  readonly controllerManager: DaemonOptions;
  readonly scheduler: DaemonOptions;
}

export interface ControlPlaneOptions {
  readonly kube: string;
  readonly etcd: string;
  readonly directory: string;
  readonly ports: { readonly etcd: number; readonly peer: number; readonly apiserver: number };
  readonly accounts: Accounts;
  readonly apiserverArgs: readonly string[];
}

export function controlPlane(options: ControlPlaneOptions): ControlPlane {
  const { kube, etcd, directory, ports, accounts, apiserverArgs } = options;
  const client = `http://127.0.0.1:${String(ports.etcd)}`;
  const peer = `http://127.0.0.1:${String(ports.peer)}`;
  const server = (name: string, args: readonly string[]): DaemonOptions => ({
    name,
    command: kube,
    args: [name, ...args],
    directory,
  });

  return {
    etcd: {
      name: "etcd",
      command: etcd,
      args: [
        "--name=test",
        "--data-dir=etcd",
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=test=${peer}`,
        // The data is thrown away with the directory; a power cut is not what we test.
        "--unsafe-no-fsync",
        "--log-level=warn",
      ],
      directory,
    },
    apiserver: server("kube-apiserver", [
      `--etcd-servers=${client}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      // It refuses to publish a loopback address as an endpoint of the kubernetes service, and then never gets ready.
      "--endpoint-reconciler-type=none",
      `--secure-port=${String(ports.apiserver)}`,
      // Makes a self-signed apiserver.crt there, which serves as the CA in the kubeconfigs.
      "--cert-dir=pki",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-account-signing-key-file=pki/sa.key",
      "--service-account-key-file=pki/sa.pub",
      "--authorization-mode=Node,RBAC",
      `--token-auth-file=${accounts.file}`,
      "--allow-privileged=true",
      ...apiserverArgs,
    ]),
    controllerManager: server("kube-controller-manager", [
      "--kubeconfig=controller-manager.kubeconfig",
      "--use-service-account-credentials=true",
      "--service-account-private-key-file=pki/sa.key",
      "--root-ca-file=pki/apiserver.crt",
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      "--secure-port=0",
      // These want a cloud or a pod network, and only fill the log without one.
      "--controllers=*,-nodeipam,-cloud-node-lifecycle-controller,-node-route-controller,-service-lb-controller",
    ]),
    scheduler: server("kube-scheduler", [
      "--kubeconfig=scheduler.kubeconfig",
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      "--secure-port=0",
    ]),
  };
}
