import { isScanned, outsideReferences, stringsOf, type OutsideReference } from "../../model/inside.ts";
import { isReference, parseReference, registriesOf } from "../../model/reference.ts";
import { referenceWords } from "../../model/reference-words.ts";
import { imagesOf, renderedObjects, whereOf, type RenderedObject } from "../../model/rendered-object.ts";

/** A place of a render that names something to be fetched from a registry. */
export interface Slot {
  /** Kind/namespace/name, with more slashes behind the kind where it is not the first of that name. */
  readonly where: string;
  readonly path: string;
  /** Which of the references in that string. */
  readonly at: number;
  readonly text: string;
  readonly what: OutsideReference["what"];
}

export type Slots = ReadonlyMap<string, Slot>;

function slotKey({ where, path, at }: Pick<Slot, "where" | "path" | "at">): string {
  return `${where} ${path} ${at}`;
}

/** What names a place outside and is fetched from it; other URLs are the user's own, and nobody can carry them. */
export function slotsOf(manifest: string): Slots {
  const slots = new Map<string, Slot>();
  const seen = new Map<string, number>();
  const objects = placedObjects(manifest);
  const registries = registriesOf(objects.flatMap(({ object }) => imagesOf(object)).map(({ value }) => value));
  for (const { object, where } of objects)
    for (const { path, value, what } of outsideReferences([object], { prefixes: [], registries })) {
      const place = `${where} ${path}`;
      const at = seen.get(place) ?? 0;
      seen.set(place, at + 1);
      if (what === "url" && !/^(oci|docker):\/\//i.test(value)) continue;
      const slot = { where, path, at, text: value, what };
      slots.set(slotKey(slot), slot);
    }
  return slots;
}

/** Every string of a render, by where it stands. */
export function textsOf(manifest: string): ReadonlyMap<string, string> {
  return new Map(
    placedObjects(manifest).flatMap(({ object, where }) =>
      [...stringsOf(object), ...imagesOf(object)].map(({ path, value }) => [`${where} ${path}`, value] as const),
    ),
  );
}

/** An object that charts make differently for other clusters stands here once for each; a slash after its kind tells the copies apart. */
function placedObjects(manifest: string): readonly { readonly object: RenderedObject; readonly where: string }[] {
  const seen = new Map<string, number>();
  return renderedObjects(manifest)
    .filter(isScanned)
    .map((object) => {
      const where = whereOf(object);
      const before = seen.get(where) ?? 0;
      seen.set(where, before + 1);
      return { object, where: where.replace("/", "/".repeat(before + 1)) };
    });
}

/** What stands at the place of a slot in another render; `undefined` when nothing does. */
export function wordAt(texts: ReadonlyMap<string, string>, { where, path, at, text }: Slot): string | undefined {
  const value = texts.get(`${where} ${path}`);
  if (value === undefined || value === text) return value;
  const words = referenceWords(value, { path });
  const whole = at === 0 && words.length < 2 && !/\s/.test(value.trim());
  if (whole) return /^--?[\w-]+=/.test(value) ? value.slice(value.indexOf("=") + 1) : value;
  return words[at]?.text;
}

/** `host/path:tag` or `oci://host/path` in parts; what no host is in is Docker Hub's, and a registry may be a host alone. */
export function referenceParts({ text, what }: Pick<Slot, "text" | "what">): {
  readonly path: string;
  readonly rest: string;
} {
  const bare = text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  if (what === "registry" && /^[^/]*[.:][^/]*$/.test(bare)) return { path: "", rest: "" };
  if (isReference(bare)) {
    const { repository } = parseReference(bare);
    return { path: repository, rest: tagOf(bare) };
  }
  const slash = bare.indexOf("/");
  return { path: slash < 0 ? "" : bare.slice(slash + 1).replace(/\/+$/, ""), rest: "" };
}

function tagOf(text: string): string {
  return /(?::[\w][\w.-]*)?(?:@sha256:[0-9a-f]+)?$/.exec(text.slice(text.lastIndexOf("/") + 1))?.[0] ?? "";
}
