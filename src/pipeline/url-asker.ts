import type { Descriptor } from "../model/descriptor.ts";
import type { ClusterPort } from "../model/kubernetes.ts";
import { failureInBrief, isFailure } from "../model/failure.ts";
import { isReference, parseReference, pointer, withoutOci } from "../model/reference.ts";
import { sanitize } from "../model/sanitize.ts";
import type { UrlAnswer } from "../stages/check/check.ts";
import type { UrlAsker } from "./install-ports.ts";

/** The registry as the account that the cluster pulls with. */
export interface UrlRegistry extends AsyncDisposable {
  repository(name: string): {
    head(pointer: string, signal?: AbortSignal): Promise<Pick<Descriptor, "digest"> | undefined>;
  };
}

/** A host that has plain files. */
export interface PlainServer {
  send(request: {
    readonly method: "HEAD";
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
  }): Promise<{ readonly status: number; readonly body: { drain(): Promise<unknown> } }>;
  close(): Promise<void>;
}

export interface UrlPorts {
  readonly connectAsPuller: () => Promise<UrlRegistry>;
  readonly connectPlain: (host: string) => Promise<PlainServer>;
  readonly cluster: Pick<ClusterPort, "raw">;
}

/**
 * Asks for plugins' URLs: `oci://` by HEAD at the registry with the credential that the cluster pulls with, `http://` by
 * HEAD at the plugin server. A name that only the cluster knows is asked through the API server. Connections are shared.
 */
export function urlAsker({ connectAsPuller, connectPlain, cluster }: UrlPorts): UrlAsker {
  let puller: Promise<UrlRegistry> | undefined;
  const plain = new Map<string, Promise<PlainServer>>();
  const atRegistry = async (reference: string, signal?: AbortSignal): Promise<UrlAnswer> => {
    const parsed = parseReference(reference);
    puller ??= connectAsPuller();
    const found = await (await puller).repository(parsed.repository).head(pointer(parsed), signal);
    return found === undefined ? { state: "refused", answer: "404" } : { state: "answers", digest: found.digest };
  };
  const atServer = async (url: URL, signal?: AbortSignal): Promise<UrlAnswer> => {
    const transport = plain.get(url.host) ?? connectPlain(url.host);
    plain.set(url.host, transport);
    const { status, body } = await (await transport).send({ method: "HEAD", url, headers: {}, signal });
    await body.drain();
    return status === 200 ? { state: "answers" } : { state: "refused", answer: String(status) };
  };
  const ask = async (text: string, signal?: AbortSignal): Promise<UrlAnswer> => {
    const reference = withoutOci(text);
    if (isReference(reference)) return atRegistry(reference, signal);
    if (!URL.canParse(text)) return { state: "refused", answer: "no URL" };
    const url = new URL(text);
    const service = serviceOf(url);
    return service === undefined ? atServer(url, signal) : askInside(service, cluster, signal);
  };
  return {
    ask: (url, signal) => ask(url, signal).catch((error: unknown) => refused(error, signal)),
    async [Symbol.asyncDispose]() {
      await (await puller)?.[Symbol.asyncDispose]();
      for (const transport of plain.values()) await (await transport).close();
    },
  };
}

/** `http://name.namespace.svc:8080/path` as the API server's proxy wants it. */
function serviceOf({ hostname, port, pathname, protocol }: URL): string | undefined {
  const [, name, namespace] =
    /^([a-z0-9-]{1,63})\.([a-z0-9-]{1,63})\.svc(?:\.[a-z0-9.-]{1,200})?$/.exec(hostname) ?? [];
  if (name === undefined || namespace === undefined) return undefined;
  const scheme = protocol === "https:" ? "https:" : "";
  // The module may be large and the proxy has no HEAD; the server keeps a small file beside each.
  const path = pathname.replace(/\/plugin\.wasm$/, "/metadata.txt");
  return `/api/v1/namespaces/${namespace}/services/${scheme}${name}:${port || (scheme === "" ? "80" : "443")}/proxy${path}`;
}

async function askInside(path: string, cluster: UrlPorts["cluster"], signal?: AbortSignal): Promise<UrlAnswer> {
  const found = await cluster.raw(path, signal);
  // What is missing may be the right to use the API server's proxy, and not the file.
  return found === undefined ? { state: "not-asked", command: `kubectl get --raw ${path}` } : { state: "answers" };
}

/** All URLs are asked; what one of them brings is its finding, not the end. */
function refused(error: unknown, signal: AbortSignal | undefined): UrlAnswer {
  signal?.throwIfAborted();
  if (!isFailure(error))
    return { state: "refused", answer: sanitize(error instanceof Error ? codeOf(error) : "", 100) };
  return { state: "refused", answer: failureInBrief(error) };
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
