import type * as z from "zod";
import type { Failure, Side } from "../../model/failure.ts";
import { collect } from "../../std/collect.ts";
import type { EndpointAccess } from "../registry/access.ts";
import { basicCredentials, basicHeader } from "../registry/auth/account.ts";
import type { Endpoint } from "../registry/endpoint.ts";
import {
  failureOfError,
  failureOfResponse,
  protocolFailure,
  type RequestContext,
  Redactor,
} from "../registry/errors.ts";
import type { Method, Transport, WireResponse } from "../registry/transport.ts";

interface HarborHttpOptions {
  readonly access: EndpointAccess;
  /** The registry behind the same door: it says whether the credentials are right before the API sees them. */
  readonly registry: Pick<Endpoint, "proved">;
  readonly transport: Transport;
  readonly host: string;
  readonly side?: Side | undefined;
  readonly userAgent?: string | undefined;
}

interface ApiCall {
  readonly method: Method;
  /** Below the origin. */
  readonly path: string;
  readonly json?: unknown;
  /** Sends no credentials even where there are some: what is open to all is asked as a stranger. */
  readonly anonymous?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface ApiAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly text: string;
}

const maxAnswer = 4 * 1024 ** 2;

/**
 * Requests to Harbor's REST API. Always Basic, and never a cookie: Harbor sets a session on every reply, and sending it
 * back switches its CSRF check on (docs/facts/harbor.md#sid-cookie).
 */
export class HarborHttp {
  readonly #options: HarborHttpOptions;
  readonly #redactor = new Redactor();
  #identity = "anonymous";

  constructor(options: HarborHttpOptions) {
    this.#options = options;
  }

  get host(): string {
    return this.#options.host;
  }

  /** Sends it; a status that is not in `wanted` is thrown as REGISTRY_*. */
  async ask(call: ApiCall, wanted: readonly number[]): Promise<ApiAnswer> {
    const context = await this.#context(call);
    const response = await this.#send(call, context);
    if (!wanted.includes(response.status)) {
      const location = response.header("location")[0];
      if (response.status >= 300 && response.status < 400 && location !== undefined) {
        await response.body.drain();
        throw protocolFailure(context, `redirect ${response.status} to ${location}`);
      }
      throw await failureOfResponse(response, context);
    }
    const text = await this.#read(response, context);
    return { status: response.status, header: (name) => response.header(name)[0], text };
  }

  /** As `ask`, and reads the answer. @throws REGISTRY_PROTOCOL when it is not what the API promises */
  async json<T>(call: ApiCall, schema: z.ZodType<T>): Promise<T> {
    return this.parse(call, schema, await this.ask(call, [200]));
  }

  async parse<T>(call: ApiCall, schema: z.ZodType<T>, answer: ApiAnswer): Promise<T> {
    let document: unknown;
    try {
      document = JSON.parse(answer.text);
    } catch {
      throw protocolFailure(await this.#context(call), "no JSON");
    }
    const parsed = schema.safeParse(document);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw protocolFailure(await this.#context(call), `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
  }

  /** An answer that the API does not give. */
  async protocolFailure(call: ApiCall, why: string): Promise<Failure> {
    return protocolFailure(await this.#context(call), why);
  }

  close(): Promise<void> {
    return this.#options.transport.close();
  }

  async #send(call: ApiCall, context: RequestContext): Promise<WireResponse> {
    const { access, registry, transport, userAgent = "higress-airgap" } = this.#options;
    const authorization = call.anonymous === true ? undefined : basicHeader(await registry.proved(call.signal));
    const body = call.json === undefined ? undefined : Buffer.from(JSON.stringify(call.json));
    try {
      return await transport.send({
        method: call.method,
        url: new URL(call.path, access.origin),
        headers: {
          "user-agent": userAgent,
          accept: "application/json, text/plain, application/octet-stream",
          "accept-encoding": "identity",
          ...(authorization !== undefined && { authorization }),
          ...(body !== undefined && { "content-type": "application/json", "content-length": String(body.byteLength) }),
        },
        body,
        signal: call.signal,
      });
    } catch (error) {
      call.signal?.throwIfAborted();
      throw failureOfError(error, context);
    }
  }

  async #read(response: WireResponse, context: RequestContext): Promise<string> {
    try {
      return (await collect(response.body, maxAnswer)).toString("utf8");
    } catch (error) {
      throw error instanceof RangeError
        ? protocolFailure(context, `more than ${maxAnswer} B`)
        : failureOfError(error, context);
    }
  }

  async #context({ method, path, anonymous }: ApiCall): Promise<RequestContext> {
    const { host, side = "target", access } = this.#options;
    const login = anonymous === true ? undefined : await access.account.login();
    if (login !== undefined) {
      this.#identity = login.username;
      for (const secret of [login.password, basicCredentials(login)]) this.#redactor.add(secret);
    }
    const as = anonymous === true ? "anonymous" : this.#identity;
    return { host, action: `${method} ${path.split("?")[0] ?? ""}`, side, as, clean: this.#redactor.clean };
  }
}

/** Harbor gives no larger ones. */
const pageSize = 100;

/**
 * What a list of Harbor's REST API holds, page by page as far as somebody reads. `load` gets the query of a page and says
 * `undefined` or `null` where there is none.
 */
export async function* pagesOf<T>(
  load: (query: string) => Promise<readonly T[] | null | undefined>,
  maxPages: number,
): AsyncGenerator<T, void, undefined> {
  for (let page = 1; page <= maxPages; page += 1) {
    const listed = (await load(`page=${page}&page_size=${pageSize}`)) ?? [];
    yield* listed;
    if (listed.length < pageSize) return;
  }
}
