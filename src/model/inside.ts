import { embeddedStrings } from "./embedded-strings.ts";
import { imagesOf, mapAt, textAt, whereOf, type Placed, type RenderedObject } from "./rendered-object.ts";

/** What counts as inside. */
export interface Inside {
  /** `harbor.corp:8443/higress`: images must be below one of these. */
  readonly prefixes: readonly string[];
  /** Hosts of the user's own that URLs may name; `*.corp` holds everything below `corp`. */
  readonly hosts?: readonly string[] | undefined;
}

/** A reference that leaves. `what` tells a place that code is fetched from (image, registry) from any other URL. */
export interface OutsideReference extends Placed {
  readonly where: string;
  readonly host: string;
  readonly what: ReferenceWord["kind"];
}

/**
 * Everything in these objects that names a place outside: images the kubelet would pull, and references in arguments,
 * environment variables, custom resources, and documents inside strings.
 */
export function outsideReferences(objects: readonly RenderedObject[], inside: Inside): readonly OutsideReference[] {
  const isInside = hostsInside(objects, inside);
  return objects.filter(isScanned).flatMap((object) => {
    const where = whereOf(object);
    const images = imagesOf(object);
    const paths = new Set(images.map(({ path }) => path));
    const pulled = images
      .filter(({ value }) => !isBelow(value, inside.prefixes))
      .map((image) => ({ ...image, where, host: hostOf(image.value), what: "image" as const }));
    const named = stringsOf(object)
      .filter(({ path }) => !paths.has(path))
      .flatMap(({ path, value }) =>
        referenceWords(value, path)
          .filter((word) => !isInside(word.host) && !isBelow(word.text, inside.prefixes))
          .map((word) => ({ where, path, value: word.text, host: word.host, what: word.kind })),
      );
    return [...pulled, ...named];
  });
}

/** A CRD is a schema: the URLs in it are prose. */
export function isScanned(object: RenderedObject): boolean {
  return textAt(object, "kind") !== "CustomResourceDefinition";
}

/** Names that look like hosts and are none: API groups, and the object's own metadata, which nobody fetches from. */
const names = /^\/(apiVersion|kind|metadata|status)(\/|$)|\/(apiGroups?|resourceNames|@type)(\/\d+)?$/;

export function stringsOf(object: RenderedObject): readonly Placed[] {
  return [...embeddedStrings(object)].filter(({ path }) => !names.test(path));
}

export function isBelow(reference: string, prefixes: readonly string[]): boolean {
  const plain = reference.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  return prefixes.some((prefix) => plain.startsWith(`${prefix.replace(/\/+$/, "")}/`));
}

function hostOf(image: string): string {
  const first = image.split("/")[0] ?? "";
  return image.includes("/") && (/[.:]/.test(first) || first === "localhost") ? first.toLowerCase() : "docker.io";
}

const clusterHost = /^(localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\]|.*\.svc(\..*)?|.*\.svc|(.*\.)?cluster\.local)$/;
function hostsInside(objects: readonly RenderedObject[], inside: Inside): (host: string) => boolean {
  const namespaces = new Set(objects.flatMap((object) => textAt(mapAt(object, "metadata"), "namespace") ?? []));
  const registries = new Set(inside.prefixes.map((prefix) => (prefix.split("/")[0] ?? "").toLowerCase()));
  const own = inside.hosts ?? [];
  return (host) => {
    const name = host.replace(/:\d+$/, "");
    if (host === "") return false;
    if (registries.has(host) || own.some((pattern) => matches(pattern.toLowerCase(), host, name))) return true;
    // One label is a Service in the same namespace; a placeholder is filled in by whoever reads the text.
    if (!/[.:]/.test(name) || /[${%]/.test(name)) return true;
    // By number, only the intranet can be meant.
    return clusterHost.test(name) || isPrivateAddress(name) || namespaces.has(name.slice(name.lastIndexOf(".") + 1));
  };
}

function matches(pattern: string, host: string, name: string): boolean {
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : pattern === host || pattern === name;
}

/** RFC 1918, RFC 6598, loopback and link-local. */
const privateV4 = [
  /^10\./,
  /^127\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^169\.254\./,
] as const;
/** RFC 4193, loopback and link-local. */
const privateV6 = [/^::1$/, /^f[cd][0-9a-f]{2}:/, /^fe[89ab][0-9a-f]:/] as const;

/** A literal address that only some networks can reach. A name is never one. */
export function isPrivateAddress(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host.includes(":")) return privateV6.some((range) => range.test(host));
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && privateV4.some((range) => range.test(host));
}

/** A part of a string that names something to be fetched. `key` is the key or flag that it is the value of. */
export interface ReferenceWord {
  readonly kind: "url" | "image" | "registry";
  readonly text: string;
  /** With its port, in lower case; empty for `nginx:1.25`, which is Docker Hub's by convention. */
  readonly host: string;
}

/** Registries that everybody means by their name. Without a tag these are still references: `--hub=docker.io/istio`. */
const publicRegistries =
  /(?<![\w.-])(?:[\w-]+\.)*(?:aliyuncs\.com|docker\.io|docker\.com|quay\.io|gcr\.io|ghcr\.io|registry\.k8s\.io|pkg\.dev|mcr\.microsoft\.com|public\.ecr\.aws|amazonaws\.com|nvcr\.io|daocloud\.io|myhuaweicloud\.com|tencentcloudcr\.com|ccs\.tencentyun\.com)(?![\w-]|\.\w)(?::\d+)?/gi;

const urls =
  /\b([a-z][a-z0-9+.-]*):\/\/((?:[^\s/"'`<>\\)\]},;|?#[]*@)?\[[0-9a-f:.]+\](?::\d+)?|[^\s/"'`<>\\)\]},;|?#]*)([^\s"'`<>\\)\]},;|]*)/gi;

/** A host (dot or port), a path, and a tag or a digest. */
const images =
  /(?<![\w./@:-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+(?::\d+)?|localhost:\d+|[a-z0-9-]+:\d+)\/[a-z0-9][\w./-]*(?::\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})(?![\w/])/gi;

/** Where the key says "image", a name without a host is one too. */
const bareImage =
  /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

/** Schemes that fetch nothing over a network, and URLs that are only names: identifiers of XML and JSON vocabularies. */
const localSchemes: ReadonlySet<string> = new Set(["file", "unix", "k8s", "spiffe", "kubernetes"]);
const vocabularies: ReadonlySet<string> = new Set(["www.w3.org", "json-schema.org", "schemas.xmlsoap.org"]);

/** Everything in `text` that names a place to fetch from, each part of the text at most once. */
export function referenceWords(text: string, path = ""): readonly ReferenceWord[] {
  const words: ReferenceWord[] = [];
  let rest = take(text, urls, (match) => {
    const [whole, scheme = "", host = ""] = match;
    const name = userless(host).toLowerCase();
    if (!localSchemes.has(scheme.toLowerCase()) && !vocabularies.has(name))
      words.push({ kind: "url", text: whole, host: name });
  });
  rest = take(rest, images, ([whole, host = ""]) =>
    words.push({ kind: "image", text: whole, host: host.toLowerCase() }),
  );
  rest = take(rest, publicRegistries, ([whole]) =>
    words.push({ kind: "registry", text: whole, host: whole.toLowerCase() }),
  );
  const bare = bareImageIn(rest, path);
  return bare === undefined ? words : [...words, { kind: "image", text: bare, host: "" }];
}

/** Calls `found` for each match and blanks it out, so that a URL's path is not found again as an image. */
function take(text: string, pattern: RegExp, found: (match: RegExpExecArray) => void): string {
  return text.replace(pattern, (...args: unknown[]) => {
    found(args as unknown as RegExpExecArray);
    return " ".repeat(String(args[0]).length);
  });
}

function userless(authority: string): string {
  return authority.slice(authority.lastIndexOf("@") + 1);
}

/** `--proxy-image=envoy:v1`, or `envoy:v1` under a key that ends in "image". */
function bareImageIn(text: string, path: string): string | undefined {
  const flag = /^--?[\w-]*image=(\S+)$/i.exec(text.trim());
  const value = flag?.[1] ?? (/image$/i.test(path) ? text.trim() : "");
  return bareImage.test(value) && /[:@]/.test(value) ? value : undefined;
}
