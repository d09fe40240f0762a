import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { aDockerRegistry } from "../registry-process.ts";
import { basicIdentity, Tokens } from "./auth.ts";
import { Backend } from "./backend.ts";
import { send, type Exchange, type Outcome } from "./exchange.ts";
import { inflict, stepOf, type Fault, type Step } from "./faults.ts";
import { handleRegistry } from "./registry-api.ts";
import { handleRest } from "./rest.ts";
import { HarborState, type Identity, type ProjectOptions, type Switches } from "./state.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly step: Step;
  readonly authorization: "none" | "basic" | "bearer";
  readonly cookie: boolean;
  /** A name with a wrong password: what a directory behind Harbor would count before it locks the account. */
  readonly failedLogin: boolean;
}

export interface HarborOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly projects?: Readonly<Record<string, ProjectOptions>>;
  readonly users?: readonly Identity[];
}

/**
 * A Harbor as docs/facts/harbor.md describes it: the auth, policies and API of its core, before a real docker-registry.
 */
export interface Harbor extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly origin: string;
  readonly state: HarborState;
  readonly requests: SeenRequest[];
  /** Bytes of blob bodies that arrived. */
  readonly uploaded: number;
  set(switches: Partial<Switches> & { readonly project?: Readonly<Record<string, ProjectOptions>> }): void;
  /** The next request of this step gets the fault instead of its answer; told twice, the next two. */
  failNext(step: Step, fault: Fault): void;
  /** Forgets what a request would still have found. */
  reset(): void;
  /** Goes away in the middle, connections and all, once so many bytes of blobs have come. */
  dieAfter(bytes: number): void;
  /** Is there again, at the same address and with all that it had. */
  rise(): Promise<void>;
}

export const admin: Identity = { name: "admin", secret: "Harbor12345-of-a-test", admin: true };

export async function aHarbor(options: HarborOptions = {}): Promise<Harbor> {
  const registry = await aDockerRegistry();
  const harbor = new HarborServer(registry.host, options);
  const listener: RequestListener = (request, response) => void harbor.handle(request, response);
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  harbor.listening(
    `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    options.tls === undefined ? "http" : "https",
  );
  const { port } = server.address() as AddressInfo;
  harbor.onDeath = () => {
    server.close();
    server.closeAllConnections();
  };
  return Object.assign(harbor, {
    async rise() {
      harbor.dieAfter(Infinity);
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await registry[Symbol.asyncDispose]();
    },
  });
}

class HarborServer {
  host = "";
  origin = "";
  readonly state = new HarborState();
  readonly requests: SeenRequest[] = [];
  uploaded = 0;
  onDeath: () => void = () => undefined;
  #lifetime = Infinity;
  #resets = 0;
  readonly #backend: Backend;
  readonly #tokens = new Tokens();
  readonly #faults = new Map<Step, Fault[]>();

  constructor(backend: string, { projects = {}, users = [admin] }: HarborOptions) {
    this.#backend = new Backend(backend);
    for (const [name, project] of Object.entries(projects)) this.state.addProject(name, project);
    for (const user of users) this.state.identities.set(user.name, user);
  }

  listening(host: string, scheme: string): void {
    this.host = host;
    this.origin = `${scheme}://${host}`;
  }

  set({ project = {}, ...switches }: Parameters<Harbor["set"]>[0]): void {
    Object.assign(this.state.switches, switches);
    for (const [name, options] of Object.entries(project)) this.state.addProject(name, options);
  }

  failNext(step: Step, fault: Fault): void {
    this.#faults.set(step, [...(this.#faults.get(step) ?? []), fault]);
  }

  dieAfter(bytes: number): void {
    this.#lifetime = bytes;
  }

  reset(): void {
    this.#resets += 1;
    this.requests.length = 0;
    this.uploaded = 0;
    this.#faults.clear();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.origin);
    const exchange: Exchange = { request, response, url, state: this.state, origin: this.origin };
    const step = stepOf(request.method ?? "GET", url.pathname);
    this.requests.push(seen(exchange, step));
    try {
      const fault = this.#faults.get(step)?.shift();
      const outcome = fault === undefined ? await this.#route(exchange) : inflict(exchange, fault);
      if (outcome !== "answered") send(exchange, outcome);
    } catch {
      // The client or the backend went away in the middle; there is nobody to tell.
      response.destroy();
    }
  }

  async #route(exchange: Exchange): Promise<Outcome> {
    const { pathname } = exchange.url;
    if (pathname === "/service/token") return this.#tokens.handle(exchange);
    if (pathname.startsWith("/api/")) return handleRest(exchange);
    if (!pathname.startsWith("/v2")) return { status: 200, text: "portal" };
    const life = this.#resets;
    const onUploaded = (bytes: number): void => {
      // Of an upload that was broken off, bytes may still be on their way.
      if (life !== this.#resets) return;
      this.uploaded += bytes;
      if (this.uploaded >= this.#lifetime) this.onDeath();
    };
    return handleRegistry({ tokens: this.#tokens, backend: this.#backend, onUploaded }, exchange);
  }
}

function seen(exchange: Exchange, step: Step): SeenRequest {
  const { method = "", url: path = "", headers } = exchange.request;
  const { authorization, cookie } = headers;
  const isBasic = authorization?.startsWith("Basic") === true;
  return {
    method,
    path,
    step,
    authorization: authorization === undefined ? "none" : isBasic ? "basic" : "bearer",
    cookie: cookie !== undefined,
    failedLogin: isBasic && basicIdentity(exchange) === undefined,
  };
}
