import type { Node } from "kubernetes-types/core/v1.js";
import { finding, type Finding } from "../../model/finding.ts";
import type { PreflightInput } from "./input.ts";

/** Systems on which the gateway's Wasm engine was seen to crash (docs/facts/higress.md#nodes-on-which-wasm-crashes). */
const hints: readonly (readonly [RegExp, string])[] = [
  [/kylin|麒麟|uniontech|uos|openeuler|neokylin/i, "os"],
  [/64k/i, "64K pages"],
];

/** A kernel before 4.11 has no ip_unprivileged_port_start, by which the gateway opens 80 and 443. */
const oldestKernel = [4, 11] as const;

export function askNodes(nodes: readonly Node[], { platforms }: PreflightInput): readonly Finding[] {
  return [...architectures(nodes, platforms), ...systems(nodes), ...kernels(nodes)];
}

function architectures(nodes: readonly Node[], platforms: readonly string[]): readonly Finding[] {
  const carried = platforms.join(", ");
  return [...grouped(nodes, (node) => `${infoOf(node).operatingSystem ?? "linux"}/${infoOf(node).architecture ?? ""}`)]
    .filter(([platform]) => !platforms.some((one) => one === platform || one.startsWith(`${platform}/`)))
    .map(([architecture, names]) => finding("error", "cluster.architecture", { nodes: names, architecture, carried }));
}

function systems(nodes: readonly Node[]): readonly Finding[] {
  const arm = nodes.filter((node) => infoOf(node).architecture === "arm64");
  return hints.flatMap(([pattern]) => {
    const hit = arm.filter((node) => pattern.test(`${infoOf(node).osImage ?? ""} ${infoOf(node).kernelVersion ?? ""}`));
    return [...grouped(hit, (node) => `${infoOf(node).osImage ?? ""} ${infoOf(node).kernelVersion ?? ""}`)].map(
      ([what, names]) => finding("warning", "cluster.node-hint", { nodes: names, what }),
    );
  });
}

function kernels(nodes: readonly Node[]): readonly Finding[] {
  const old = nodes.filter((node) => isOld(infoOf(node).kernelVersion ?? ""));
  return [...grouped(old, (node) => `kernel ${infoOf(node).kernelVersion ?? ""}`)].map(([what, names]) =>
    finding("warning", "cluster.node-hint", { nodes: names, what }),
  );
}

function isOld(kernel: string): boolean {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})/.exec(kernel) ?? [];
  if (major === undefined) return false;
  return Number(major) < oldestKernel[0] || (Number(major) === oldestKernel[0] && Number(minor) < oldestKernel[1]);
}

function infoOf({ status }: Node): Partial<NonNullable<NonNullable<Node["status"]>["nodeInfo"]>> {
  return status?.nodeInfo ?? {};
}

/** Names of the nodes that share a value: a cluster of two hundred equal nodes is one line. */
function grouped(nodes: readonly Node[], by: (node: Node) => string): ReadonlyMap<string, string> {
  const groups = new Map<string, string[]>();
  for (const node of nodes) groups.set(by(node), [...(groups.get(by(node)) ?? []), node.metadata?.name ?? ""]);
  const print = (names: readonly string[]): string =>
    names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")} +${names.length - 5}`;
  return new Map([...groups].map(([value, names]) => [value, print(names)]));
}
