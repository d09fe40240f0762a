/** The head of a response that says plainly where its body ends. */
export interface ResponseHead {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Bytes of the body. */
  readonly length: number;
  /** Another request may follow on the connection. */
  readonly keepsAlive: boolean;
}

/** What proxies and servers refuse as well; more is no head. */
export const maxHead = 64 * 1024;

const statusLine = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * Reads a head strictly, without its last empty line: HTTP/1.1, one Content-Length, no Transfer-Encoding, no folded
 * lines. `undefined` is everything else, also what would be right: that is for a real parser.
 * https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
export function parseHead(text: string): ResponseHead | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const status = Number(statusLine.exec(first)?.[1] ?? 0);
  const headers = parseFields(lines);
  const length = headers === undefined ? undefined : lengthOf(headers);
  // Bodies of 204 and 304 end by other rules.
  if (headers === undefined || length === undefined || [0, 204, 304].includes(status)) return undefined;
  const connection = (headers.get("connection") ?? []).join(",").toLowerCase();
  return { status, headers, length, keepsAlive: !connection.includes("close") };
}

function parseFields(lines: readonly string[]): ReadonlyMap<string, readonly string[]> | undefined {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = field.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const known = headers.get(name.toLowerCase());
    if (known === undefined) headers.set(name.toLowerCase(), [value.trimEnd()]);
    else known.push(value.trimEnd());
  }
  return headers;
}

function lengthOf(headers: ReadonlyMap<string, readonly string[]>): number | undefined {
  const [text = "", ...more] = headers.get("content-length") ?? [];
  const plain = more.length === 0 && !headers.has("transfer-encoding") && /^\d{1,15}$/.test(text);
  return plain ? Number(text) : undefined;
}
