import { Failure } from "../../model/failure.ts";
import { isMap, itemsAt, mapAt, renderedDocuments, textAt, type RenderedObject } from "../../model/rendered-object.ts";
import type { ReleaseRef } from "../../model/receipt.ts";
import { pathKey, spotsOf, type Spot, type Spots } from "../../std/yaml.ts";
import { splice, type Edit } from "./wasm-plugin.ts";

/**
 * What Helm puts on every object of a release and no template renders. Applied without it by the same field manager, an
 * object would lose it, and with it the next `helm upgrade` (https://helm.sh/docs/faq/changes_since_helm2: "adopting").
 */
function helmOwnership({ release, namespace }: ReleaseRef): Ownership {
  return {
    labels: { "app.kubernetes.io/managed-by": "Helm" },
    annotations: { "meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace },
  };
}

export interface Ownership {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The manifest with Helm's marks on its objects. Only these are written: one that was read and printed again would not
 * be what the chart made. Hooks have none: Helm does not count them into the release.
 * @throws Failure CHART_UNUSABLE for metadata that is no map, or that cannot be written into
 */
export function withHelmOwnership(manifest: string, release: ReleaseRef): string {
  const marks = helmOwnership(release);
  const spots = spotsOf(manifest);
  const placed = renderedDocuments(manifest).flatMap((document, at) =>
    objectsOf(document).map((each) => ({ ...each, spots: spots[at] ?? new Map<string, Spot>() })),
  );
  const marked = splice(
    manifest,
    placed.flatMap((object) => marksOn(object, manifest, marks)),
  );
  const missed = renderedDocuments(marked)
    .flatMap(objectsOf)
    .find(({ object }) => !isMarked(object, marks));
  if (missed === undefined) return marked;
  const why = `metadata of ${textAt(missed.object, "kind") ?? ""} ${textAt(mapAt(missed.object, "metadata"), "name") ?? ""}`;
  throw new Failure("CHART_UNUSABLE", { chart: release.release, why });
}

interface PlacedObject {
  readonly object: RenderedObject;
  readonly path: readonly PropertyKey[];
}

/** Of the release: neither hooks nor what is no object. */
function objectsOf(document: unknown): readonly PlacedObject[] {
  if (!isMap(document)) return [];
  const isList = textAt(document, "kind")?.endsWith("List") === true && Array.isArray(document["items"]);
  const placed = isList
    ? itemsAt(document, "items").map((object, at): PlacedObject => ({ object, path: ["items", at] }))
    : [{ object: document, path: [] }];
  return placed.filter(({ object }) => textAt(object, "kind") !== undefined && !isHook(object));
}

/** https://helm.sh/docs/topics/charts_hooks/ */
export function isHook(object: RenderedObject): boolean {
  return mapAt(object, "metadata", "annotations")["helm.sh/hook"] !== undefined;
}

function isMarked(object: RenderedObject, { labels, annotations }: Ownership): boolean {
  const has = (field: string, wanted: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([key, value]) => mapAt(object, "metadata", field)[key] === value);
  return has("labels", labels) && has("annotations", annotations);
}

interface Marking extends PlacedObject {
  readonly spots: Spots;
}

function marksOn({ object, path, spots }: Marking, text: string, marks: Ownership): readonly Edit[] {
  return Object.entries(marks).flatMap(([field, wanted]: [string, Readonly<Record<string, string>>]) => {
    const metadata = [...path, "metadata"];
    const present = mapAt(object, "metadata", field);
    const spot = spots.get(pathKey([...metadata, field]));
    if (spot === undefined)
      return added(spots.get(pathKey(metadata)), text, {
        present: mapAt(object, "metadata"),
        more: { [field]: wanted },
      });
    // Nothing, `null`, or an alias: a map of our own takes its place.
    if (spot.scalar !== undefined) {
      const { start, end } = spot.scalar;
      return [{ start, end, text: ` ${JSON.stringify({ ...present, ...wanted })}` }];
    }
    const spotOf = (key: string) => spots.get(pathKey([...metadata, field, key]))?.scalar;
    const entries = Object.entries(wanted);
    const more = Object.fromEntries(entries.filter(([key]) => spotOf(key) === undefined));
    const replaced = entries.flatMap(([key, value]) => {
      const known = spotOf(key);
      return known === undefined ? [] : [{ start: known.start, end: known.end, text: JSON.stringify(value) }];
    });
    return [...added(spot, text, { present, more }), ...replaced];
  });
}

interface Addition {
  readonly present: RenderedObject;
  readonly more: Readonly<Record<string, unknown>>;
}

/** First entries for the map at this spot. JSON is YAML, and leaves no question of indentation. */
function added(map: Spot | undefined, text: string, { present, more }: Addition): readonly Edit[] {
  const entries = Object.entries(more).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  if (map === undefined || map.scalar !== undefined || entries.length === 0) return [];
  const { start } = map;
  if (text[start] === "{") {
    const rest = Object.keys(present).length > 0 ? ", " : "";
    return [{ start: start + 1, end: start + 1, text: `${entries.join(", ")}${rest}` }];
  }
  const indent = " ".repeat(start - text.lastIndexOf("\n", start - 1) - 1);
  return [{ start, end: start, text: entries.map((entry) => `${entry}\n${indent}`).join("") }];
}
