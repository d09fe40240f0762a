import type { ServerResponse } from "node:http";

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** In the words of the distribution spec: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export function refusal(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply {
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll("_", " ") }] }));
  return { status, headers: { ...headers, "content-type": "application/json" }, body };
}

export function reply(response: ServerResponse, method: string, { status, headers, body }: Reply): void {
  response.writeHead(status, {
    "content-type": "application/octet-stream",
    ...headers,
    "content-length": body?.byteLength ?? 0,
    "docker-distribution-api-version": "registry/2.0",
  });
  response.end(method === "HEAD" ? undefined : body);
}
