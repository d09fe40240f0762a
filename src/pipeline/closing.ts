import type { Service } from "kubernetes-types/core/v1.js";
import type { NoteEvent } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import type { ClusterPort } from "../model/kubernetes.ts";
import { serviceAddress } from "../model/service-address.ts";
import type { PushResult } from "../stages/push/push.ts";
import { printBytes } from "../std/bytes.ts";
import type { InstallResult } from "./install.ts";

export interface ClosingOptions {
  readonly cluster: Pick<ClusterPort, "list">;
  readonly namespace: string;
  readonly seconds: number;
  /** Ready to paste. */
  readonly look: string;
  /** Absent where nothing was changed. */
  readonly undo: string | undefined;
  readonly signal: AbortSignal;
}

/** The last words of an install that went through: how long and how much, where it can be reached, what is on, what next. */
export async function closingNotes(
  { receipt, pushed }: InstallResult,
  { cluster, namespace, seconds, look, undo, signal }: ClosingOptions,
): Promise<readonly NoteEvent[]> {
  const services = await cluster.list<Service>({ resource: "services", namespace, signal }).catch(unlessFailed);
  const on = receipt.plugins.filter(({ state }) => state === "on").map(({ name }) => name);
  return [
    { type: "note", text: "install-took", facts: { seconds: Math.round(seconds), ...bytesOf(pushed) } },
    ...services.flatMap((service) => addressNote(service, namespace)),
    ...(on.length === 0 ? [] : [{ type: "note", text: "plugins-on", facts: { plugins: on.join(", ") } } as const]),
    ...(undo === undefined ? [] : [{ type: "note", text: "next-commands", facts: { look, undo } } as const]),
  ];
}

/** The install went through; who may not list services finds out addresses in another way. */
function unlessFailed(error: unknown): readonly Service[] {
  if (!isFailure(error)) throw error;
  return [];
}

function bytesOf(pushed: PushResult | undefined): { readonly sent: string; readonly present: string } {
  return {
    sent: printBytes(pushed?.uploaded ?? 0),
    present: printBytes((pushed?.present ?? 0) + (pushed?.mounted ?? 0)),
  };
}

/** What is meant to be reached from outside says so by its type; to the console its administrator gets by the API server. */
function addressNote(found: Service, namespace: string): readonly NoteEvent[] {
  const { type, at } = serviceAddress(found);
  const service = found.metadata?.name ?? "";
  if (type === "LoadBalancer" || type === "NodePort")
    return [{ type: "note", text: "address", facts: { service, at: at.join(", ") } }];
  const [first] = found.spec?.ports ?? [];
  if (!service.endsWith("-console") || first === undefined) return [];
  const command = `kubectl -n ${namespace} port-forward svc/${service} 8080:${first.port}`;
  return [{ type: "note", text: "console-address", facts: { command } }];
}
