import { STATUS_CODES } from "node:http";
import type { Descriptor } from "../../model/descriptor.ts";
import {
  Failure,
  deniedBecause,
  type FailureCode,
  type FailureFacts,
  type Side,
  type TlsFault,
} from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import { collect } from "../../std/collect.ts";
import { networkReason, tlsFault, tlsReason } from "./network-error.ts";
import { StalledError, type WireResponse } from "./transport.ts";

/** What a failure says about where it happened. */
export interface RequestContext {
  readonly host: string;
  /** `GET library/nginx:1.25` */
  readonly action: string;
  readonly side: Side;
  /** Who asked: a user name, or `anonymous`. */
  readonly as: string;
  /** A CA file was named for this host. */
  readonly caNamed?: boolean | undefined;
  /** Takes our own secrets out of a text of theirs. */
  readonly clean: (text: string, limit?: number) => string;
}

interface Circumstances {
  readonly side: Side;
  readonly cause?: unknown;
  /** Milliseconds to wait at least; `undefined`: trying again is useless. */
  readonly retryAfter?: number | undefined;
  readonly status?: number | undefined;
  /** The codes of the error body: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
  readonly codes?: readonly string[];
}

type RegistryCode = Extract<FailureCode, `REGISTRY_${string}` | "CONTENT_MISMATCH">;

/** A failure that still knows what the retry policy needs: is it worth another try, and when. */
export class RegistryFailure extends Failure {
  readonly retryAfter: number | undefined;
  readonly status: number | undefined;
  readonly codes: readonly string[];

  constructor(code: RegistryCode, facts: FailureFacts[RegistryCode], circumstances: Circumstances) {
    super(code, facts, { side: circumstances.side, cause: circumstances.cause });
    this.retryAfter = circumstances.retryAfter;
    this.status = circumstances.status;
    this.codes = circumstances.codes ?? [];
  }
}

/** An error body is some lines of JSON; a proxy's page may be long, and only its start says something. */
const maxErrorBody = 64 * 1024;
/** Taking tags out of a page of nothing but `<` costs the square of its length. */
const maxPage = 8 * 1024;
/** Longer than this nobody waits at a prompt; the attempts run out instead. */
const maxRetryAfter = 120_000;
/** docs/facts/harbor.md#bulk-pushes. 499, 522 and 524 are how proxies name a time-out. */
const transientStatus: ReadonlySet<number> = new Set([408, 425, 429, 499, 500, 502, 503, 504, 522, 524]);

/** Reads the body, and says what the status means. */
export async function failureOfResponse(response: WireResponse, context: RequestContext): Promise<RegistryFailure> {
  const { codes, answer } = await readAnswer(response, context);
  const { status } = response;
  const { host, action, side, as } = context;
  const busy = transientStatus.has(status);
  const circumstances = { side, status, codes, retryAfter: busy ? retryAfterOf(response) : undefined };
  // nginx with ssl_verify_client: "No required SSL certificate was sent", or "The SSL certificate error".
  if (status === 400 && /SSL certificate/.test(answer)) return tlsFailure(context, "client-certificate", answer);
  if (busy) return new RegistryFailure("REGISTRY_BUSY", { host, action, status, answer }, circumstances);
  switch (status) {
    case 401:
      return new RegistryFailure("REGISTRY_UNAUTHORIZED", { host, action, as, answer }, circumstances);
    case 403:
      return new RegistryFailure(
        "REGISTRY_DENIED",
        { host, action, answer, because: deniedBecause(answer) },
        circumstances,
      );
    case 405:
      // What a plain registry says to every upload while it is read-only (docs/facts/harbor.md); asked again, it says so again.
      if (!/^(?:POST|PUT|PATCH) /.test(action)) break;
      return new RegistryFailure("REGISTRY_DENIED", { host, action, answer, because: "read-only" }, circumstances);
    case 404:
      return new RegistryFailure("REGISTRY_NOT_FOUND", { host, action, answer }, circumstances);
  }
  return new RegistryFailure("REGISTRY_REFUSED", { host, action, status, answer }, circumstances);
}

/** The registry's words for a refusal; its status where it has none. */
export async function answerOf(response: WireResponse, context: RequestContext): Promise<string> {
  return (await readAnswer(response, context)).answer;
}

async function readAnswer(
  response: WireResponse,
  context: RequestContext,
): Promise<{ readonly codes: readonly string[]; readonly answer: string }> {
  const text = await bodyOf(response);
  const errors = errorsOf(text);
  const answer = errors.length === 0 ? withoutMarkup(text, context) : errors.map((error) => error.text).join("; ");
  return {
    codes: errors.map((error) => error.code),
    answer: context.clean(answer, 400) || statusOf(response, context),
  };
}

/**
 * An answer to HEAD has no body, and a sentence should not end in nothing. Harbor writes the id of a request into its
 * logs (docs/facts/harbor.md), where its administrator finds the rest.
 */
function statusOf(response: WireResponse, { clean }: RequestContext): string {
  const { status } = response;
  const phrase = [status, STATUS_CODES[status] ?? ""].join(" ").trim();
  const id = clean(response.header("x-request-id")[0] ?? "", 80);
  return id === "" ? phrase : `${phrase}, X-Request-Id: ${id}`;
}

/** What a page or document says, for people. */
export async function textOf(response: WireResponse, context: RequestContext): Promise<string> {
  return context.clean(withoutMarkup(await bodyOf(response), context), 400);
}

async function bodyOf(response: WireResponse): Promise<string> {
  try {
    return (await collect(response.body, maxErrorBody)).toString("utf8");
  } catch {
    // A body that was cut or does not end tells nothing: the status alone has to do.
    return "";
  }
}

/** Secrets go first: without what looks like a tag in a password, the rest of it would be nobody's. */
function withoutMarkup(text: string, { clean }: RequestContext): string {
  return clean(text, maxPage).replace(/<(script|style|head)\b[\s\S]*?<\/\1>|<[^>]*>/gi, " ");
}

/**
 * Harbor and distribution send the same envelope, with codes of their own each
 * (docs/facts/harbor.md#two-dialects-of-errors).
 */
function errorsOf(text: string): readonly { readonly code: string; readonly text: string }[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    if (!Array.isArray(errors)) return [];
    return errors.slice(0, 8).map((error: { code?: unknown; message?: unknown; detail?: unknown } | null) => {
      const code = typeof error?.code === "string" ? error.code : "?";
      // Harbor's core wraps an error in itself: "project p not found: project p not found".
      const message = typeof error?.message === "string" ? error.message.replace(/^(.+): \1$/s, "$1") : "";
      const detail = typeof error?.detail === "string" ? error.detail : "";
      return { code, text: [code, message, detail].filter((part) => part !== "").join(" ") };
    });
  } catch {
    return [];
  }
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfterOf(response: WireResponse): number {
  const value = response.header("retry-after")[0];
  if (value === undefined) return 0;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), maxRetryAfter);
}

/** What the transport threw, as a failure; `Failure`s and aborts are left as they are. */
export function failureOfError(thrown: unknown, context: RequestContext): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  // undici calls a refused tunnel an AbortError, too; an abort of ours has no code in words.
  const aborted = error.name === "AbortError" && typeof (error as NodeJS.ErrnoException).code !== "string";
  if (error instanceof Failure || aborted) return error;
  const { host, action, side } = context;
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof StalledError || code === "UND_ERR_HEADERS_TIMEOUT") {
    const seconds = error instanceof StalledError ? error.seconds : 0;
    return new RegistryFailure("REGISTRY_STALLED", { host, action, seconds }, { side, cause: error, retryAfter: 0 });
  }
  const tls = tlsReason(error);
  if (tls !== undefined) return tlsFailure(context, tlsFault(tls, context.caNamed === true), tls, error);
  const network = networkReason(error);
  if (network === undefined) return error;
  const facts = { host, action, reason: context.clean(network.reason, 200) };
  const retryAfter = network.permanent ? undefined : 0;
  return new RegistryFailure("REGISTRY_UNREACHABLE", facts, { side, cause: error, retryAfter });
}

/** A plain no to a credential, before anything was asked with it. */
export function loginWrongFailure({ host, as, side }: RequestContext, answer: string): RegistryFailure {
  return new RegistryFailure("REGISTRY_LOGIN_WRONG", { host, as, answer }, { side });
}

/** Of a token that should do: whoever reads "unauthorized" must not hunt for a password that is right. */
export function tokenRefusedFailure({ host, action, as, side, clean }: RequestContext, why: string): RegistryFailure {
  return new RegistryFailure("REGISTRY_TOKEN_REFUSED", { host, action, as, why: clean(why, 200) }, { side });
}

function tlsFailure({ host, side }: RequestContext, fault: TlsFault, reason: string, cause?: unknown): RegistryFailure {
  return new RegistryFailure("REGISTRY_TLS", { host, fault, reason }, { side, cause });
}

export function protocolFailure(context: RequestContext, why: string): RegistryFailure {
  const { host, action, side } = context;
  return new RegistryFailure("REGISTRY_PROTOCOL", { host, action, why: context.clean(why, 200) }, { side });
}

/** Bytes that are not what they were called: `also` of the operation says whether asking again makes sense. */
export function mismatchFailure(what: string, wanted: string, got: string, side: Side): RegistryFailure {
  return new RegistryFailure("CONTENT_MISMATCH", { what, wanted, got }, { side });
}

export function sizeMismatch(want: Descriptor, got: number, side: Side, retryAfter?: number): RegistryFailure {
  const facts = { what: want.digest, wanted: `${want.size} B`, got: `${got} B` };
  return new RegistryFailure("CONTENT_MISMATCH", facts, { side, retryAfter });
}

/** The newest tokens are the ones that a reply can repeat. */
const remembered = 64;

/** Takes this endpoint's own secrets out of what a registry says, whatever shape they have there. */
export class Redactor {
  readonly #secrets: string[] = [];

  add(secret: string): void {
    // A secret of two letters would redact every sentence, and protects nothing.
    if (secret.length < 4 || this.#secrets.includes(secret)) return;
    this.#secrets.push(secret);
    if (this.#secrets.length > remembered) this.#secrets.splice(4, 1);
  }

  readonly clean = (text: string, limit?: number): string => {
    const without = this.#secrets.flatMap(shapesOf).reduce((rest, shape) => rest.replaceAll(shape, "***"), text);
    return sanitize(without, limit);
  };
}

/** As it is, in a URL, in a form, in JSON, and on a page: whoever repeats a secret may have written it anew. */
function shapesOf(secret: string): readonly string[] {
  const inUrl = encodeURIComponent(secret);
  const strict = inUrl.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  const onPage = secret.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);
  const shapes = [secret, inUrl, strict, strict.replaceAll("%20", "+"), JSON.stringify(secret).slice(1, -1)];
  return [...new Set([...shapes, onPage, onPage.replaceAll("'", "&#39;"), onPage.replaceAll("'", "&#x27;")])];
}
