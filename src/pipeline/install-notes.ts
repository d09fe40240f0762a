import type { Service } from "kubernetes-types/core/v1.js";
import { installPhases, type NoteEvent } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import type { HelmPort } from "../model/helm.ts";
import type { ClusterPort } from "../model/kubernetes.ts";
import { serviceAddress } from "../model/service-address.ts";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../model/wasm-plugin.ts";
import type { PushResult } from "../stages/push/push.ts";
import { printBytes } from "../std/bytes.ts";
import { shellWord } from "../std/shell-word.ts";
import type { InstallPlan } from "./install-plan.ts";
import type { InstallResult } from "./install.ts";

/** What an install is about to do, in a few lines: each release with what stands there, what is carried, and the phases. */
export async function proposal(
  plan: InstallPlan,
  skip: ReadonlySet<string>,
  helm: Pick<HelmPort, "metadata">,
  signal: AbortSignal,
): Promise<readonly NoteEvent[]> {
  const releases: NoteEvent[] = [];
  for (const { release, namespace, name, version } of plan.charts) {
    const from = await standing(release, namespace, helm, signal);
    releases.push({ type: "note", text: "plan-release", facts: { release, from, to: `${name} ${version}` } });
  }
  const count = (kind: string): number => plan.mapped.filter(({ item }) => item.kind === kind).length;
  return [
    ...releases,
    {
      type: "note",
      text: "plan-push",
      facts: { images: count("image"), plugins: count("plugin"), prefix: plan.prefix },
    },
    {
      type: "note",
      text: "plan-phases",
      facts: { phases: installPhases.filter((phase) => !skip.has(phase)).join(" > ") },
    },
  ];
}

/** `""` when there is none. That helm cannot be asked is for preflight to say, with all else that is wrong. */
async function standing(
  release: string,
  namespace: string,
  helm: Pick<HelmPort, "metadata">,
  signal: AbortSignal,
): Promise<string> {
  try {
    const found = await helm.metadata(release, namespace, { signal });
    return found === undefined ? "" : `${found.chart} ${found.version} (#${found.revision}, ${found.status})`;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return "?";
  }
}

interface ClosingOptions {
  readonly cluster: Pick<ClusterPort, "list">;
  readonly namespace: string;
  /** Absent where something was found that must not stay: what stands there has to be looked at or undone, not praised. */
  readonly seconds: number | undefined;
  /** Ready to paste. */
  readonly look: string;
  /** kubectl as it is typed to reach this cluster. */
  readonly kubectl: readonly string[];
  /** Absent where nothing was changed. */
  readonly undo: string | undefined;
  readonly signal: AbortSignal;
}

/** The last words of an install that went through: how long and how much, where it can be reached, what is on, what next. */
export async function closingNotes(
  { receipt, pushed }: InstallResult,
  { cluster, namespace, seconds, look, kubectl, undo, signal }: ClosingOptions,
): Promise<readonly NoteEvent[]> {
  const services = await cluster.list<Service>({ resource: "services", namespace, signal }).catch(unlessFailed);
  const running = await pluginsOn(cluster, namespace, signal);
  const on = receipt.plugins
    .filter(({ name, state }) => state === "on" && (running?.has(name) ?? true))
    .map(({ name }) => name);
  return [
    ...(seconds === undefined
      ? []
      : [{ type: "note", text: "install-took", facts: { seconds: Math.round(seconds), ...bytesOf(pushed) } } as const]),
    ...services.flatMap((service) => addressNote(service, [...kubectl, "-n", namespace])),
    ...(on.length === 0 ? [] : [{ type: "note", text: "plugins-on", facts: { plugins: on.join(", ") } } as const]),
    ...(undo === undefined ? [] : [{ type: "note", text: "next-commands", facts: { look, undo } } as const]),
  ];
}

/** Since the receipt wrote one down, somebody may have switched it off; `undefined` where that may not be seen. */
async function pluginsOn(
  cluster: ClosingOptions["cluster"],
  namespace: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  try {
    const live = await cluster.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal });
    return new Set(live.filter(isEnabled).map(({ metadata }) => metadata.name));
  } catch (error) {
    if (!isFailure(error)) throw error;
    return undefined;
  }
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
function addressNote(found: Service, kubectl: readonly string[]): readonly NoteEvent[] {
  const { type, at } = serviceAddress(found);
  const service = found.metadata?.name ?? "";
  if (type === "LoadBalancer" || type === "NodePort")
    return [{ type: "note", text: "address", facts: { service, at: at.join(", ") } }];
  const [first] = found.spec?.ports ?? [];
  if (!service.endsWith("-console") || first === undefined) return [];
  const command = [...kubectl, "port-forward", `svc/${service}`, `8080:${first.port}`].map(shellWord).join(" ");
  return [{ type: "note", text: "console-address", facts: { command } }];
}
