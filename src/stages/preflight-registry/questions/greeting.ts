import { isFailure } from "../../../model/failure.ts";
import { finding, type Finding } from "../../../model/finding.ts";
import { repositoryIn, type Asking } from "../context.ts";
import type { Greeting } from "../ports.ts";

/**
 * What answers must have answered like a registry before anything else it says counts: `GET /v2/` is 200 or 401
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints), and a 401 says how to log in.
 */
export function registryQuestion({ input: { host } }: Pick<Asking, "input">, greeting: Greeting): readonly Finding[] {
  const { status, text } = greeting;
  const answer = text.slice(0, 200);
  if (greeting.redirect !== undefined) return redirected(host, greeting.redirect, status);
  if (status === 200 && isRegistryPage(greeting)) return [];
  if (status === 401 && greeting.challenges.some(({ scheme }) => scheme === "basic" || scheme === "bearer")) return [];
  if (status >= 500 || status === 429) return [finding("error", "registry.down", { host, status, answer })];
  // nginx: "The plain HTTP request was sent to HTTPS port"; Go: "Client sent an HTTP request to an HTTPS server."
  if (status === 400 && /\bHTTP request\b.*\bHTTPS\b/i.test(text)) {
    return [finding("error", "registry.other-scheme", { host })];
  }
  // nginx with ssl_verify_client: "No required SSL certificate was sent", or "The SSL certificate error".
  if (status === 400 && /SSL certificate/.test(text))
    return [finding("error", "registry.tls", { host, fault: "client-certificate", reason: answer })];
  return [finding("error", "registry.none", { host, status, answer })];
}

/** Port 80 of a Harbor with TLS says 308 to https; all other redirects lead to a page for people. */
function redirected(host: string, redirect: string, status: number): readonly Finding[] {
  const to = redirect.slice(0, 200);
  if (URL.canParse(to) && new URL(to).protocol === "https:" && new URL(to).pathname.startsWith("/v2"))
    return [finding("error", "registry.redirects-to-https", { host, to })];
  return [finding("error", "registry.none", { host, status, answer: to })];
}

/** Registries say `{}`, or nothing; a page is HTML, whatever its type is called. */
function isRegistryPage({ header, text }: Greeting): boolean {
  if (header("docker-distribution-api-version") !== undefined) return true;
  if (/\bhtml\b/i.test(header("content-type") ?? "")) return false;
  return /^\s*(\{.*\}|true|)\s*$/s.test(text);
}

/** A tag that nobody has. */
const noTag = "higress-airgap-preflight";

/**
 * Is there an answer to HEAD? Of a tag that is not there it is 404; of who may not pull it is 401, which the question for
 * rights tells better.
 */
export async function headQuestion(
  { input, probe }: Asking,
  [project]: readonly string[],
): Promise<readonly Finding[]> {
  if (project === undefined) return [];
  const { host, signal } = input;
  const repository = repositoryIn(input, project);
  try {
    await probe.tag(repository, noTag, signal);
    return [];
  } catch (error) {
    const status = isFailure(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_DENIED")
      ? 401
      : isFailure(error, "REGISTRY_REFUSED") && error.facts.status;
    if (status === false) throw error;
    const held = status === 401 ? await probe.grants(repository, signal) : undefined;
    if (held !== undefined && !held.includes("pull")) return [];
    return [finding("error", "registry.head-refused", { host, status })];
  }
}
