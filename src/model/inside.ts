import { decodeText, EncodingError } from "../std/decode-text.ts";
import { fitsPattern, isOfNetwork, isSamePlace, isServiceIn, hostPlace } from "./host.ts";
import {
  embeddedStrings,
  filledHost,
  referenceWords,
  splitImages,
  userless,
  type ReferenceWord,
} from "./reference-words.ts";
import { imagesOf, isMap, mapAt, textAt, whereOf, type Placed, type RenderedObject } from "./rendered-object.ts";

/**
 * What counts as inside: the one meaning of it, for the proof, the check of what runs, leftovers and plugins.
 */
export interface Inside {
  /** `harbor.corp:8443/higress`: images must be below one of these. */
  readonly prefixes: readonly string[];
  /** What the site declares as its own: `sso.corp`, `llm.corp:8443`, `*.corp` for all below it, `203.0.113.0/24`. */
  readonly hosts?: readonly string[] | undefined;
  /** Hosts that the bundle was fetched from: a reference of theirs is told without a tag and under any key. */
  readonly registries?: readonly string[] | undefined;
  /** Of the release: `http://console.higress-system:8080` is a Service there. */
  readonly namespaces?: readonly string[] | undefined;
}

/**
 * By what a host is inside: the pattern of the site that fits, `registry`, or `network` for names and addresses that
 * never leave (services of the cluster, private addresses). `undefined`: it is outside.
 */
export function insideBy(host: string, { prefixes, hosts = [], namespaces = [] }: Inside): string | undefined {
  // As URL has it (https://url.spec.whatwg.org/#host-parsing): `evil%2eexample` is a name with a dot.
  const place = hostPlace(
    host.replaceAll(/%([0-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  );
  const { name } = place;
  if (name === "") return undefined;
  if (prefixes.some((prefix) => isSamePlace(hostPlace(prefix.split("/")[0] ?? ""), place))) return "registry";
  const pattern = hosts.find((each) => fitsPattern(each, place));
  if (pattern !== undefined) return pattern;
  const filled = filledHost(name);
  // One label is a Service in the same namespace; what a variable alone decides is known to whoever fills it in.
  if (filled === undefined || !/[.:]/.test(filled)) return "network";
  return isOfNetwork(filled) || isServiceIn(namespaces, filled) ? "network" : undefined;
}

/** Can it be fetched from here? For `oci://` and plain URLs and for references, of a plugin or of a module server. */
export function isFetchedInside(url: string, inside: Inside): boolean {
  if (/^file:\/\//i.test(url) || isBelow(url, inside.prefixes)) return true;
  const host = fetchHost(url);
  return host !== undefined && insideBy(host, inside) !== undefined;
}

/** The host that a reference or URL is fetched from; `undefined` for a file, which is fetched from nowhere. */
export function fetchHost(value: string): string | undefined {
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]{0,20}):\/\/(.{0,2000})$/is.exec(value) ?? [undefined, "oci", value];
  if (scheme.toLowerCase() === "file") return undefined;
  if (scheme.toLowerCase() === "oci") {
    const [authority = ""] = rest.split("/");
    return hostOf(`${userless(authority)}${rest.slice(authority.length)}`);
  }
  return userless(rest.split(/[/?#]/)[0] ?? "").toLowerCase();
}

/** A reference that leaves. `what` tells a place that code is fetched from (image, registry) from any other URL. */
export interface OutsideReference extends Placed {
  readonly where: string;
  readonly host: string;
  readonly what: ReferenceWord["kind"];
}

/** A reference that stays because the site file says that its host is inside. */
export interface DeclaredReference extends Placed {
  readonly where: string;
  /** The entry of `inside:`, or the host of the registry or plugin server. */
  readonly by: string;
}

/**
 * Everything in these objects that names a place outside: images the kubelet would pull, and references in arguments,
 * environment variables, custom resources, and documents inside strings.
 */
export function outsideReferences(objects: readonly RenderedObject[], inside: Inside): readonly OutsideReference[] {
  return judgedReferences(objects, inside).outside;
}

/** As `outsideReferences`, with what is inside only by the site's own word. */
export function judgedReferences(
  objects: readonly RenderedObject[],
  inside: Inside,
): { readonly outside: readonly OutsideReference[]; readonly declared: readonly DeclaredReference[] } {
  const outside: OutsideReference[] = [];
  const declared: DeclaredReference[] = [];
  // A Service of a namespace that stands in these very objects.
  const standing = objects.flatMap((object) => textAt(mapAt(object, "metadata"), "namespace") ?? []);
  const within = { ...inside, namespaces: [...new Set([...(inside.namespaces ?? []), ...standing])] };
  for (const object of objects.filter(isScanned)) {
    const where = whereOf(object);
    for (const { path, value, host, kind } of referencesIn(object, inside.registries)) {
      if (isBelow(value, inside.prefixes)) continue;
      const pulled = kind === "pulled";
      const by = pulled ? undefined : insideBy(host, within);
      if (by === undefined) outside.push({ where, path, value, host, what: pulled ? "image" : kind });
      else if (by !== "network" && by !== "registry") declared.push({ where, path, value, by });
    }
  }
  return { outside, declared };
}

interface NamedPlace extends Placed {
  readonly host: string;
  /** `pulled`: an image that a kubelet pulls, so no other place than the one that was pushed to will do. */
  readonly kind: ReferenceWord["kind"] | "pulled";
}

function referencesIn(object: RenderedObject, registries: Inside["registries"]): readonly NamedPlace[] {
  const images = imagesOf(object);
  const paths = new Set(images.map(({ path }) => path));
  const strings = stringsOf(object).filter(({ path }) => !paths.has(path));
  return [
    ...images.map((image) => ({ ...image, host: hostOf(image.value), kind: "pulled" as const })),
    ...strings.flatMap(({ path, value, key }) =>
      referenceWords(value, { path, key, registries }).map(({ kind, text, host }) => ({
        path,
        value: text,
        host,
        kind,
      })),
    ),
    // A split image with a host is among the words already.
    ...splitImages(strings)
      .filter(({ isHosted }) => !isHosted)
      .map(({ path, value }) => ({ path, value, host: hostOf(value), kind: "registry" as const })),
  ];
}

/** A CRD is a schema: the URLs in it are prose. */
export function isScanned(object: RenderedObject): boolean {
  return textAt(object, "kind") !== "CustomResourceDefinition";
}

/** Names that look like hosts and are none: API groups, and the object's own metadata, which nobody fetches from. */
const names = /^\/(apiVersion|kind|metadata|status)(\/|$)|\/(apiGroups?|resourceNames|@type)(\/\d+)?$/;

export function stringsOf(object: RenderedObject): readonly Placed[] {
  return [...embeddedStrings(decoded(object))].filter(({ path }) => !names.test(path));
}

/** Stands behind the key of what was encoded, in the path of what is in it. */
export const encodedMark = " (base64)";

/** Keys under which base64 is what a Secret or a ConfigMap holds; shown with the coding in the path. */
const encodedKeys: Readonly<Record<string, string>> = { Secret: "data", ConfigMap: "binaryData" };

/** With the texts that stand behind base64, which a cluster reads as they are; other bytes stay as they were written. */
function decoded(object: RenderedObject): RenderedObject {
  const key = encodedKeys[textAt(object, "kind") ?? ""];
  if (key === undefined) return object;
  const { [key]: encoded, ...rest } = object;
  if (!isMap(encoded)) return object;
  const data = Object.entries(encoded).map(([name, value]) => {
    const text = typeof value === "string" ? textBehind(value) : undefined;
    return [text === undefined ? name : `${name}${encodedMark}`, text ?? value];
  });
  return { ...rest, [key]: Object.fromEntries(data) as RenderedObject };
}

function textBehind(base64: string): string | undefined {
  const plain = base64.replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(plain) || plain.length % 4 !== 0) return undefined;
  try {
    return decodeText(Buffer.from(plain, "base64"));
  } catch (error) {
    if (error instanceof EncodingError) return undefined;
    throw error;
  }
}

export function isBelow(reference: string, prefixes: readonly string[]): boolean {
  const plain = reference.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  return prefixes.some((prefix) => plain.startsWith(`${prefix.replace(/\/+$/, "")}/`));
}

function hostOf(image: string): string {
  const first = image.split("/")[0] ?? "";
  return image.includes("/") && (/[.:]/.test(first) || first === "localhost") ? first.toLowerCase() : "docker.io";
}
