import { page, type Exchange, type Outcome } from "./exchange.ts";

/** What a request is about: the name under which a fault is planted and requests are counted. */
export type Step =
  | "ping"
  | "token"
  | "blob.head"
  | "blob.get"
  | "blob.post"
  | "blob.patch"
  | "blob.put"
  | "manifest.head"
  | "manifest.get"
  | "manifest.put"
  | "rest"
  | "other";

export type Fault =
  | "reset"
  | {
      readonly status: number;
      /** Harbor's envelope with this code; without it the page of a proxy. */
      readonly code?: string;
      readonly message?: string;
      readonly detail?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

const uploads: Readonly<Record<string, Step>> = { POST: "blob.post", PATCH: "blob.patch", PUT: "blob.put" };
const blobs: Readonly<Record<string, Step>> = { HEAD: "blob.head", GET: "blob.get" };
const manifests: Readonly<Record<string, Step>> = { HEAD: "manifest.head", GET: "manifest.get", PUT: "manifest.put" };

export function stepOf(method: string, path: string): Step {
  if (path === "/service/token") return "token";
  if (path.startsWith("/api/")) return "rest";
  if (path === "/v2/") return "ping";
  const kind = /^\/v2\/.+\/(blobs\/uploads|blobs|manifests)\//.exec(path)?.[1];
  const steps = kind === "manifests" ? manifests : kind === "blobs" ? blobs : kind === undefined ? {} : uploads;
  return steps[method] ?? "other";
}

export function inflict({ request }: Exchange, fault: Fault): Outcome {
  if (fault === "reset") {
    request.socket.destroy();
    return "answered";
  }
  const { status, code, message = "", detail, headers = {} } = fault;
  if (code === undefined) return page(status, headers);
  return { status, headers, json: { errors: [{ code, message, ...(detail !== undefined && { detail }) }] } };
}
