import { execa } from "execa";
import { namespace, type FarSide } from "../far-side.ts";

/** What hgctl keeps of an install in its ConfigMap, as far as it sets values: what is off it does not write. */
export const hgctlProfile = `profile: k8s
higressVersion: 2.1.3
global: { install: k8s, ingressClass: bank, namespace: ${namespace} }
console: { replicas: 1 }
gateway: { replicas: 4 }
controller: { replicas: 1 }
`;

/** `helm template | kubectl apply`: the same objects, and no release. */
export async function ownersApply(far: FarSide, chart: string): Promise<void> {
  const set = ["--set", "higress-core.gateway.replicas=4", "--set", "global.ingressClass=bank"];
  const rendered = await execa(far.tools.helm, [
    "template",
    "higress",
    chart,
    "-n",
    namespace,
    "--include-crds",
    "--no-hooks",
    ...set,
  ]);
  const apply = ["--kubeconfig", far.cluster.kubeconfig, "-n", namespace, "apply", "--server-side", "-f", "-"];
  await execa(far.tools.kubectl, ["--kubeconfig", far.cluster.kubeconfig, "create", "namespace", namespace]);
  await execa(far.tools.kubectl, apply, { input: rendered.stdout });
}

export async function ownersInstall(far: FarSide, chart: string): Promise<void> {
  const set = [
    ["higress-core.gateway.replicas", "4"],
    ["global.ingressClass", "bank"],
    ["higress-core.gone", "1"],
    ["higress-core.gateway.env.BANK_TOKEN", "s3cret"],
  ].flatMap(([path = "", value = ""]) => ["--set-string", `${path}=${value}`]);
  const where = ["-n", namespace, "--create-namespace", "--kubeconfig", far.cluster.kubeconfig];
  await execa(far.tools.helm, ["install", "higress", chart, ...where, ...set]);
}
