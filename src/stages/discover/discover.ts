import { finding, type Finding } from "../../model/finding.ts";
import { isScanned, outsideReferences, stringsOf, type Inside } from "../../model/inside.ts";
import { referenceWords, splitImages, type ReferenceWord } from "../../model/reference-words.ts";
import { isReference } from "../../model/reference.ts";
import {
  isException,
  isUnpatched,
  type Exception,
  type Patch,
  type WorkloadContainer,
} from "../../model/relocation.ts";
import {
  identityOf,
  imagesOf,
  isInstalled,
  itemsAt,
  podSpecOf,
  renderedObjects,
  textAt,
  whereOf,
  type RenderedObject,
} from "../../model/rendered-object.ts";

/** Something that must be carried, and where it was found. */
export interface FoundReference {
  /** As it was written: an image reference, an `oci://` URL, or the `http(s)://` URL of a module. */
  readonly reference: string;
  /** Kind/namespace/name. */
  readonly where: string;
  /** JSON pointer; `!` enters a document inside a string. */
  readonly path: string;
  readonly kind: "image" | "plugin";
}

/**
 * Everything that the objects of a manifest would fetch: what the kubelet pulls, images that stand only in an argument
 * or in a document inside a ConfigMap, and Wasm modules. Reads renders, the user's own files and exports of a cluster.
 */
export function discoverReferences(manifest: string): readonly FoundReference[] {
  const found = renderedObjects(manifest).filter(isScanned).flatMap(referencesOf);
  return [
    ...new Map(found.map((entry) => [`${entry.kind} ${entry.reference} ${entry.where} ${entry.path}`, entry])).values(),
  ];
}

function referencesOf(object: RenderedObject): readonly FoundReference[] {
  const where = whereOf(object);
  const images = imagesOf(object).map(({ path, value }) => ({ reference: value, where, path, kind: "image" as const }));
  const known = new Set(images.map(({ path }) => path));
  const strings = stringsOf(object).filter(({ path }) => !known.has(path));
  const hidden = strings.flatMap(({ path, value, key }) => {
    const module = isModule(object, path);
    if (module && isReference(value)) return [{ reference: value, where, path, kind: "plugin" as const }];
    return referenceWords(value, { path, key }).flatMap((word) => {
      const kind = kindOf(word, module);
      return kind === undefined ? [] : [{ reference: word.text, where, path, kind }];
    });
  });
  const split = splitImages(strings).map(({ path, reference }) => ({ reference, where, path, kind: "image" as const }));
  return [...images, ...hidden, ...split];
}

/** The two fields that a gateway loads code from: WasmPlugin `url`, and the remote code of an EnvoyFilter. */
function isModule(object: RenderedObject, path: string): boolean {
  const kind = textAt(object, "kind");
  return kind === "WasmPlugin"
    ? path === "/spec/url"
    : kind === "EnvoyFilter" && /\/code\/remote\/(http_?uri)\/uri$/i.test(path);
}

function kindOf({ kind, text }: ReferenceWord, module: boolean): FoundReference["kind"] | undefined {
  // A pattern (`oci://host/${name}:${version}`) names many things; the plugins it can name are listed elsewhere.
  if (/[{$]/.test(text) || kind === "registry") return undefined;
  if (kind === "image" || /^docker:\/\//i.test(text)) return "image";
  return module || /^oci:\/\//i.test(text) ? "plugin" : undefined;
}

/**
 * Looks at a render whose relocation went to a registry that does not exist: what still names a real one is a value
 * that the relocation map does not reach. Other URLs are the user's own here; the proof before an install weighs them.
 */
export function findGaps(
  sentinelManifest: string,
  inside: Inside,
  {
    exceptions = [],
    patches = [],
  }: { readonly exceptions?: readonly Exception[]; readonly patches?: readonly Patch[] } = {},
): readonly Finding[] {
  return outsideReferences(renderedObjects(sentinelManifest).filter(isInstalled), inside)
    .filter(({ what, value }) => what !== "url" || /^(oci|docker):\/\//i.test(value))
    .filter((reference) => !exceptions.some((each) => isException(reference, each)))
    .map((reference) =>
      finding("error", isUnpatched(reference, patches) ? "relocation.hook-unpatched" : "reference.unmapped", {
        where: reference.where,
        path: reference.path,
        value: reference.value.slice(0, 300),
      }),
    );
}

/** The image of one container, told by the names of its workload and its own. */
export function containerImage(manifest: string, wanted: WorkloadContainer): string | undefined {
  for (const object of renderedObjects(manifest)) {
    const { kind, name } = identityOf(object);
    if (kind !== wanted.kind || name !== wanted.name) continue;
    const containers = itemsAt(podSpecOf(object)?.spec ?? {}, "containers");
    const container = containers.find((each) => each["name"] === wanted.container);
    if (container !== undefined) return textAt(container, "image");
  }
  return undefined;
}
