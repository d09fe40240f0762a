/**
 * Java's `.properties` (java.util.Properties.load of a byte stream): ISO 8859-1 with `\uXXXX`, `#` and `!` comments,
 * continued lines, `=`, `:` or blanks between key and value; of two equal keys the last counts.
 * @throws SyntaxError for a `\u` without four hexadecimal digits, where Java throws too
 */
export function parseProperties(bytes: Uint8Array): ReadonlyMap<string, string> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const entries = logicalLines(text).map((line): [string, string] => {
    const end = keyEnd(line);
    return [unescape(line.slice(0, end)), unescape(line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, ""))];
  });
  return new Map(entries);
}

/** A line that ends in an odd number of backslashes goes on, without the blanks that the next begins with. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, "");
    if (open === undefined && (line === "" || /^[#!]/.test(line))) continue;
    const continued = (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
    const whole: string = (open ?? "") + (continued ? line.slice(0, -1) : line);
    if (!continued) lines.push(whole);
    open = continued ? whole : undefined;
  }
  return open === undefined ? lines : [...lines, open];
}

/** The first separator that no backslash stands before. */
function keyEnd(line: string): number {
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === "\\") at += 1;
    else if (/[=: \t\f]/.test(line.charAt(at))) return at;
  }
  return line.length;
}

const controls: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escaped: string) => {
    if (escaped.length > 1) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    if (escaped === "u") throw new SyntaxError("\\u without four hexadecimal digits");
    return controls[escaped] ?? escaped;
  });
}
