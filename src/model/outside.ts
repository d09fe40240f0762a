import { embeddedStrings } from "./embedded-strings.ts";
import { isPrivateAddress } from "./private-address.ts";
import { imagesOf, mapAt, textAt, whereOf, type Placed, type RenderedObject } from "./rendered-object.ts";
import { referenceWords, type ReferenceWord } from "./reference-words.ts";

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
