import https from "node:https";
import { createInterface } from "node:readline";

import { exchange, open } from "./exchange.ts";

/** The few verbs of the Kubernetes API that the rig needs. Results are what the server sent, unchecked. */
export interface KubeApi {
  /** A body that is not JSON (as of /readyz) comes back as text. */
  get(path: string): Promise<unknown>;
  create(path: string, object: object): Promise<unknown>;
  patch(path: string, change: object, type?: "strategic-merge" | "merge"): Promise<unknown>;
  remove(path: string, options?: object): Promise<unknown>;
  /** Ends when the server ends it, as it does every few minutes; throws when `signal` aborts. */
  watch(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent>;
  close(): void;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: unknown;
}

/** What the API server refused, in its words. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface KubeApiOptions {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
}

export function kubeApi({ server, ca, token }: KubeApiOptions): KubeApi {
  const agent = new https.Agent({ ca, keepAlive: true });
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const call = async (method: string, path: string, object?: object, type = "application/json") => {
    const answer = await exchange({
      url: new URL(path, server),
      method,
      agent,
      headers: object === undefined ? headers : { ...headers, "content-type": type },
      ...(object !== undefined && { body: JSON.stringify(object) }),
    });
    const content = parsed(answer.body.toString());
    if (answer.status >= 300) throw new ApiError(answer.status, `${method} ${path}: ${reasonIn(content)}`);
    return content;
  };

  return {
    get: (path) => call("GET", path),
    create: (path, object) => call("POST", path, object),
    patch: (path, change, type = "strategic-merge") => call("PATCH", path, change, `application/${type}-patch+json`),
    remove: (path, options) => call("DELETE", path, options),
    async *watch(path, signal) {
      const response = await open({ url: new URL(path, server), method: "GET", agent, headers, signal });
      try {
        if (response.statusCode !== 200) throw new ApiError(response.statusCode ?? 0, `watch ${path} was refused`);
        for await (const line of createInterface({ input: response })) yield JSON.parse(line) as WatchEvent;
      } finally {
        response.destroy();
      }
    },
    close: () => {
      agent.destroy();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function reasonIn(content: unknown): string {
  if (typeof content === "object" && content !== null && "message" in content) return String(content.message);
  return String(content).slice(0, 200);
}
