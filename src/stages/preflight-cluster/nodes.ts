import type { Node, Container } from "kubernetes-types/core/v1.js";
import { finding, type Finding, type CapacityOf } from "../../model/finding.ts";
import { parseQuantity, type KubeObject } from "../../model/kubernetes.ts";
import { printBytes } from "../../std/bytes.ts";
import type { ClusterPreflightInput } from "./input.ts";

/** Systems on which the gateway's Wasm engine was seen to crash (docs/facts/higress.md#nodes-on-which-wasm-crashes). */
const hints: readonly (readonly [RegExp, string])[] = [
  [/kylin|麒麟|uniontech|uos|openeuler|neokylin/i, "os"],
  [/64k/i, "64K pages"],
];

/** A kernel before 4.11 has no ip_unprivileged_port_start, by which the gateway opens 80 and 443. */
const oldestKernel = [4, 11] as const;

export function askNodes(nodes: readonly Node[], { platforms }: ClusterPreflightInput): readonly Finding[] {
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

interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
  };
}

const workloads: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet"]);
const resources = ["cpu", "memory"] as const;
type Resource = (typeof resources)[number];

/** What Envoy, the agent and their connections take before any plugin; an estimate on the safe side. */
const gatewayReserve = 512 * 1024 ** 2;

/** Requests of the render against what the nodes have: all of it together, and the largest pod against the largest node. */
export function askCapacity(nodes: readonly Node[], input: ClusterPreflightInput): readonly Finding[] {
  const usable = nodes.filter(({ spec }) => spec?.unschedulable !== true);
  const findings = resources.flatMap((resource) => {
    const free = usable.map(({ status }) => parseQuantity(status?.allocatable?.[resource]));
    const wanted = input.render.map((document) => podRequest(document, resource, usable.length));
    const sum = wanted.reduce((total, { each, count }) => total + each * count, 0);
    const largest = Math.max(0, ...wanted.map(({ each }) => each));
    const [all, most] = [free.reduce((total, one) => total + one, 0), Math.max(0, ...free)];
    return [
      ...(sum > all ? [short(resource, sum, all)] : []),
      ...(largest > most ? [short(`${resource} of a pod`, largest, most)] : []),
    ];
  });
  return [...findings, ...gatewayMemory(input)];
}

function short(what: CapacityOf, requested: number, allocatable: number): Finding {
  const print = (amount: number): string =>
    what.startsWith("cpu") ? String(Math.round(amount * 100) / 100) : printBytes(amount);
  return finding("error", "cluster.capacity", {
    resource: what,
    requested: print(requested),
    allocatable: print(allocatable),
  });
}

function podRequest(document: KubeObject, resource: Resource, nodes: number): { each: number; count: number } {
  const { kind, spec } = document as Workload;
  if (!workloads.has(kind)) return { each: 0, count: 0 };
  const containers = spec?.template?.spec?.containers ?? [];
  const each = containers.reduce((sum, one) => sum + parseQuantity(one.resources?.requests?.[resource]), 0);
  return { each, count: kind === "DaemonSet" ? nodes : (spec?.replicas ?? 1) };
}

/** Each worker of Envoy starts each plugin for itself, and there is a worker per CPU of the limit: modules × (workers + 1). */
function gatewayMemory({ render, plugins = [] }: ClusterPreflightInput): readonly Finding[] {
  const limits = gatewayLimits(render);
  const memory = parseQuantity(limits["memory"]);
  const workers = Math.max(1, Math.ceil(parseQuantity(limits["cpu"])));
  const modules = plugins.reduce((sum, { bytes }) => sum + bytes, 0);
  const wanted = gatewayReserve + modules * (workers + 1);
  if (memory === 0 || plugins.length === 0 || wanted <= memory) return [];
  const facts = { requested: printBytes(wanted), allocatable: printBytes(memory) };
  return [finding("warning", "cluster.capacity", { resource: "memory of the gateway", ...facts })];
}

function gatewayLimits(render: readonly KubeObject[]): Readonly<Record<string, unknown>> {
  const named = render.filter(({ metadata }) => metadata.name === "higress-gateway");
  const gateway = named.find(({ kind }) => workloads.has(kind)) as Workload | undefined;
  const containers = gateway?.spec?.template?.spec?.containers ?? [];
  return containers.find(({ name }) => name === "higress-gateway")?.resources?.limits ?? {};
}
