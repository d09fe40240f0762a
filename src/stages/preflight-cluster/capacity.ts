import type { Container, Node } from "kubernetes-types/core/v1.js";
import { finding, type CapacityOf, type Finding } from "../../model/finding.ts";
import type { KubeObject } from "../../model/kubernetes.ts";
import { parseQuantity } from "../../model/quantity.ts";
import { printBytes } from "../../std/bytes.ts";
import type { PreflightInput } from "./input.ts";

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
export function askCapacity(nodes: readonly Node[], input: PreflightInput): readonly Finding[] {
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
function gatewayMemory({ render, plugins = [] }: PreflightInput): readonly Finding[] {
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
