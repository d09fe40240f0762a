import { identityOf, renderedObjects, type RenderedObject } from "../model/rendered-object.ts";

export interface ManifestPart {
  /** As it is written: printed again, `on` could become another value. */
  readonly text: string;
  readonly objects: readonly RenderedObject[];
}

/** The documents of a manifest that say something. At the start of a line `---` is always a boundary. */
export function partsOf(manifest: string): readonly ManifestPart[] {
  return manifest
    .split(/^---[^\n]*$/m)
    .map((text) => ({ text, objects: renderedObjects(text) }))
    .filter(({ objects }) => objects.length > 0);
}

/**
 * The documents by the namespace that they go into; `namespace` is for those that say none. kubectl with `-n` refuses an
 * object that names another one, and without it does not know where those that name none belong. The chart's certificate
 * manager, for example, has a Role in kube-system.
 */
export function byNamespace(
  parts: readonly ManifestPart[],
  namespace: string,
): ReadonlyMap<string, readonly ManifestPart[]> {
  const groups = new Map<string, ManifestPart[]>();
  for (const part of parts) {
    const own = part.objects
      .map((object) => identityOf(object).namespace)
      .find((name) => name !== undefined && name !== "");
    groups.set(own ?? namespace, [...(groups.get(own ?? namespace) ?? []), part]);
  }
  return groups;
}

/** The documents as one text. */
export function printParts(parts: readonly ManifestPart[]): string {
  return parts.map(({ text }) => text).join("\n---\n");
}
