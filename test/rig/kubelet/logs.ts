import type { IncomingMessage, ServerResponse } from "node:http";

import type { ContainerLife } from "./container.ts";

/** Whose logs are asked for. */
export interface LogRef {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Of the run before the present one. */
  readonly previous: boolean;
}

export interface LogSource {
  /** Undefined when there is no such pod on our nodes. */
  readonly lifeOf: (ref: LogRef) => ContainerLife | undefined;
  readonly linesOf: (ref: LogRef) => readonly string[];
}

/** Answers what the API server asks of a kubelet for `kubectl logs`. Following ends at the last line there is. */
export function serveLogs(request: IncomingMessage, response: ServerResponse, { lifeOf, linesOf }: LogSource): void {
  const url = new URL(request.url ?? "/", "https://kubelet");
  const [, area, namespace = "", pod = "", container = ""] = url.pathname.split("/");
  const refuse = (status: number, message: string) => response.writeHead(status).end(message);
  if (area !== "containerLogs") return void refuse(404, "a simulated kubelet only has logs");

  const ref: LogRef = { namespace, pod, container, previous: url.searchParams.get("previous") === "true" };
  const life = lifeOf(ref);
  if (life === undefined) return void refuse(404, `pod "${pod}" has no container "${container}" here`);
  const trouble = troubleWith(life, ref);
  if (trouble !== undefined) return void refuse(400, trouble);

  const tail = url.searchParams.get("tailLines");
  const lines = linesOf(ref).slice(tail === null ? 0 : -Number(tail) || Infinity);
  const stamp = url.searchParams.get("timestamps") === "true" ? `${new Date().toISOString()} ` : "";
  response.writeHead(200, { "content-type": "text/plain" });
  response.end(lines.map((line) => `${stamp}${line}\n`).join(""));
}

/** What the kubelet of 1.36 says when there is nothing to show (kubelet_pods.go, validateContainerLogStatus). */
function troubleWith({ state, lastState }: ContainerLife, { pod, container, previous }: LogRef): string | undefined {
  if (previous)
    return lastState.terminated === undefined
      ? `previous terminated container "${container}" in pod "${pod}" not found`
      : undefined;
  if (state.waiting === undefined || lastState.terminated !== undefined) return undefined;
  const { reason = "" } = state.waiting;
  const said: Record<string, string> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: "trying and failing to pull image",
  };
  return `container "${container}" in pod "${pod}" is waiting to start: ${said[reason] ?? reason}`;
}
