import type { Service, ServicePort } from "kubernetes-types/core/v1.js";
import type { NoteEvent } from "../model/event.ts";
import type { ClusterPort } from "../model/kubernetes.ts";
import type { PushResult } from "../stages/push/push.ts";
import { printBytes } from "../std/bytes.ts";
import type { InstallResult } from "./install.ts";

export interface ClosingOptions {
  readonly cluster: Pick<ClusterPort, "list">;
  readonly namespace: string;
  readonly seconds: number;
  /** Ready to paste. */
  readonly check: string;
  /** Absent where nothing was changed. */
  readonly undo: string | undefined;
  readonly signal: AbortSignal;
}

/** The last words of an install that went through: how long and how much, where it can be reached, what is on, what next. */
export async function closingNotes(
  { receipt, pushed }: InstallResult,
  { cluster, namespace, seconds, check, undo, signal }: ClosingOptions,
): Promise<readonly NoteEvent[]> {
  const services = await cluster.list<Service>({ resource: "services", namespace, signal });
  const on = receipt.plugins.filter(({ state }) => state === "on").map(({ name }) => name);
  return [
    { type: "note", text: "install-took", facts: { seconds: Math.round(seconds), ...bytesOf(pushed) } },
    ...services.flatMap((service) => addressNote(service, namespace)),
    ...(on.length === 0 ? [] : [{ type: "note", text: "plugins-on", facts: { plugins: on.join(", ") } } as const]),
    ...(undo === undefined ? [] : [{ type: "note", text: "next-commands", facts: { check, undo } } as const]),
  ];
}

function bytesOf(pushed: PushResult | undefined): { readonly sent: string; readonly present: string } {
  return {
    sent: printBytes(pushed?.uploaded ?? 0),
    present: printBytes((pushed?.present ?? 0) + (pushed?.mounted ?? 0)),
  };
}

/**
 * What is meant to be reached from outside says so by its type
 * (https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types); the console is
 * meant for its administrator, who gets to it through the API server.
 */
function addressNote({ metadata, spec, status }: Service, namespace: string): readonly NoteEvent[] {
  const service = metadata?.name ?? "";
  const ports = spec?.ports ?? [];
  if (spec?.type === "LoadBalancer" || spec?.type === "NodePort")
    return [{ type: "note", text: "address", facts: { service, at: outside(ports, status).join(", ") } }];
  const [first] = ports;
  if (!service.endsWith("-console") || first === undefined) return [];
  const command = `kubectl -n ${namespace} port-forward svc/${service} 8080:${first.port}`;
  return [{ type: "note", text: "console-address", facts: { command } }];
}

function outside(ports: readonly ServicePort[], status: Service["status"]): readonly string[] {
  const given = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  // IPv6 before a port: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2
  const hosts = given.map((host) => (host.includes(":") ? `[${host}]` : host));
  return [
    ...hosts.flatMap((host) => ports.map(({ port }) => `${host}:${port}`)),
    ...ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [`NODE:${nodePort}`])),
  ];
}
