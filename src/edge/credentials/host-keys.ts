/** Docker Hub has one account and many names; docker login writes the first. */
const hubKey = "https://index.docker.io/v1/";
const hubHosts: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** What a credential helper is asked for. */
export function serverKey(host: string): string {
  return hubHosts.has(host) ? hubKey : host;
}

/**
 * The keys that are `host` or a path above it, the longest first. Whole segments only: `corp` is no prefix of
 * `corp.evil.example`, and a substring match is how credentials leak.
 */
export function matchingKeys(keys: readonly string[], host: string): readonly string[] {
  const wanted = normal(host);
  return keys
    .filter((key) => {
      const each = normal(key);
      return each !== "" && (wanted === each || wanted.startsWith(`${each}/`));
    })
    .sort((a, b) => normal(b).length - normal(a).length);
}

/** `https://Host/v1/` and `host` are one. */
function normal(key: string): string {
  const bare = key
    .replace(/^https?:\/\//i, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/+$/, "");
  const slash = bare.indexOf("/");
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  return `${hubHosts.has(host) ? "docker.io" : host}${slash < 0 ? "" : bare.slice(slash)}`;
}
