/**
 * Path and query of `url` at `origin`. Not by joining texts: the path of `https://ours//theirs/v2/` is `//theirs/v2/`,
 * which as a text is the address of another host.
 */
export function atOrigin(url: URL, origin: URL): URL {
  const ours = new URL(origin.origin);
  ours.pathname = url.pathname;
  ours.search = url.search;
  return ours;
}
